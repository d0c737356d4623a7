package app

// SettingsRequest asks for the settings.
type SettingsRequest struct{}

// SettingsReply lists every setting, by its key.
type SettingsReply struct {
	Settings []Setting `json:"settings"`
}

// Setting is one value of the configuration.
type Setting struct {
	// Key as in config.yml, such as "berth.cleanup.schedule".
	Key string `json:"key"`
	// Value and Default in YAML.
	Value   string `json:"value"`
	Default string `json:"default"`
	// Origin says where the value comes from: "default", "set here",
	// "config.yml:12", a variable or a flag.
	Origin string `json:"origin"`
	// Live settings can be changed by Apply and act at once; Locked ones of them
	// cannot, since a variable or a flag says otherwise.
	Live   bool   `json:"live"`
	Locked bool   `json:"locked,omitempty"`
	Doc    string `json:"doc"`
}

// ApplyRequest changes settings, all or none: values in YAML by their keys. An
// empty value goes back to what the configuration says.
type ApplyRequest struct {
	Values map[string]string `json:"values"`
}
