// Package event carries what happened in the registry from where it happened
// to whoever cares: webhooks, metrics, the activity list, the window.
//
// A [Bus] never blocks a publisher. Each subscription has a bounded buffer; a
// reader that falls behind loses events and is told so once, by an event of
// [Kind] Lagged, after which it should look at a snapshot again.
//
// Imports: the standard library and the registry contract. Locks: Bus.mu guards
// the replacement of the set of subscriptions, which publishers read without a
// lock; subscription.mu guards one queue. Neither is held while a reader runs.
package event
