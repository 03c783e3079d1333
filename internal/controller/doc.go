// Package controller reconciles ClassifierDatasets and ClassifierTrainingJobs with a
// factory. It knows the factory by its protocol only, and trains and classifies nothing.
//
// Each reconciler is a list of steps over a scope. A step does one thing to the
// world and records in the scope what it saw; the conditions are functions of the
// scope, and the status is written once, at the end, if it differs.
package controller
