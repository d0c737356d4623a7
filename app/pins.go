package app

import "context"

// Pin: see [Service].
func (c *Core) Pin(context.Context, PinRequest) (PinReply, error) {
	return PinReply{}, errNotYet
}

// Pins: see [Service].
func (c *Core) Pins(context.Context, PinsRequest) (PinsReply, error) {
	return PinsReply{}, errNotYet
}
