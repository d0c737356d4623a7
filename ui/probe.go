//go:build !headless && !ci

package ui

import "github.com/go-gl/glfw/v3.4/glfw"

// probe says whether a window can be opened, by opening one that is not shown:
// Fyne ends the whole process when it cannot, and the registry with it. It must
// be called on the main goroutine, before Fyne.
func probe() bool {
	if glfw.Init() != nil {
		return false
	}
	defer glfw.Terminate()
	glfw.WindowHint(glfw.Visible, glfw.False)
	glfw.WindowHint(glfw.ContextVersionMajor, 2)
	glfw.WindowHint(glfw.ContextVersionMinor, 1)
	w, err := glfw.CreateWindow(16, 16, "Berth", nil, nil)
	if err != nil {
		return false
	}
	w.Destroy()
	return true
}
