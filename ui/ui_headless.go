//go:build headless

package ui

import "context"

// Run answers [ErrHeadless]: this build has no faces.
func Run(context.Context, Options) error { return ErrHeadless }

// Available answers [ErrHeadless].
func Available() error { return ErrHeadless }
