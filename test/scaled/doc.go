// Package scaled holds several servers and workers on one PostgreSQL to what a single factory
// keeps: what was acknowledged is there, and each job ends once, whatever ends or stops meanwhile.
package scaled
