// Package faulty is a driver around another that has the accidents which a
// [Plan] names: at the n-th operation it stops for good, fails once, or waits.
// It counts operations, so a test can have the same scenario cut at every one
// of them, and then look at what the inner driver holds:
//
//	for n := 1; ; n++ {
//		disk := memory.New()
//		d := faulty.New(disk, faulty.Plan{At: n, Effect: faulty.Torn, Drop: true})
//		scenario(d)
//		check(disk) // as if started again
//		if !d.Fired() {
//			break // the scenario has fewer than n operations
//		}
//	}
//
// Imports: the standard library and registry/driver. Lock: Driver.mu orders
// operations that change something against the cut, so that nothing takes
// effect after it.
package faulty
