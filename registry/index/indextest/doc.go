// Package indextest is the suite that every index passes.
//
// Its heart is a model: the same changes, in any order, must give the figures
// that a plain computation over what is there gives.
package indextest
