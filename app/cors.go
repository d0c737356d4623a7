package app

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"berth/registry/httpd"
)

// corsOf makes of the headers of distribution's way, which are sent with every
// answer as they are, what they mean for pages of other origins.
func corsOf(headers map[string][]string) (origins []string, cors httpd.CORS) {
	cors.Others = http.Header{}
	for key, values := range headers {
		key = http.CanonicalHeaderKey(key)
		rest, ok := strings.CutPrefix(key, corsPrefix)
		if !ok {
			continue
		}
		var words []string
		for _, v := range values {
			for word := range strings.SplitSeq(v, ",") {
				if word = strings.TrimSpace(word); word != "" {
					words = append(words, word)
				}
			}
		}
		switch rest {
		case "Allow-Origin":
			origins = append(origins, words...)
		case "Allow-Methods":
			cors.Methods = append(cors.Methods, words...)
		case "Allow-Headers":
			cors.Headers = append(cors.Headers, words...)
		case "Expose-Headers":
			cors.Exposed = append(cors.Exposed, words...)
		case "Allow-Credentials":
			cors.Credentials = slices.Contains(words, "true")
		case "Max-Age":
			for _, word := range words {
				cors.MaxAge, _ = strconv.Atoi(word) // what is no number is as if it were not there
			}
		default:
			cors.Others[key] = values
		}
	}
	return origins, cors
}

const corsPrefix = "Access-Control-"
