// Package model holds all logic of every page and of the tray. It knows no
// window: a page asks a model for its state, an immutable value, draws it, and
// calls a method for each thing a person does. [Signal.Subscribe] says «look
// again», nothing more.
//
// # Rules
//
// The room imports app and the standard library. State methods return at once
// and are safe from any goroutine; so are all intents. What takes time runs on
// goroutines the models own: a later request of one kind cancels the earlier,
// and [Models.Close] joins them all. Listeners are called without a lock, from
// the goroutine that made the change: a face hands them to its own dispatcher.
//
// # Locks
//
// Every model guards its fields with its own mutex and calls neither the
// service, nor another model, nor a listener while it holds it. The feed's
// mutex is the only one that is taken inside another.
package model
