package main

import (
	"fmt"
	"hash/maphash"
	"math/rand/v2"
	"runtime"
	"syscall"
	"time"
)

// The parsers take turns, so that whatever else the machine does slows all of them.
const (
	turns     = 4
	turnBytes = 50_000_000
)

// parser is a library or a program that reads rows.
type parser struct {
	name       string
	checks     string
	parse      parse
	usage      int              // whose time counts: RUSAGE_SELF, or RUSAGE_CHILDREN for a program
	countsOnly bool             // what it extracts, it keeps to itself
	cpu        [2]time.Duration // by kind of rows
}

// measureParsers fails when not all parsers extract the same.
func measureParsers(parsers []*parser) error {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	random, seed := rand.New(rand.NewPCG(1, 2)), maphash.MakeSeed()
	var rows []byte
	for turn := range 2 * turns {
		kind := turn % 2
		rows = appendRows(rows[:0], turnBytes, kind, random)
		checksums := map[uint64]string{}
		for _, p := range parsers {
			var extracted maphash.Hash
			extracted.SetSeed(seed)
			if err := p.measure(kind, rows, &extracted); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			if p.parse != nil && !p.countsOnly {
				checksums[extracted.Sum64()] = p.name
			}
		}
		if len(checksums) != 1 {
			return fmt.Errorf("parsers extracted something different: %v", checksums)
		}
	}
	return nil
}

func (p *parser) measure(kind int, rows []byte, extracted *maphash.Hash) error {
	if p.parse == nil {
		return nil
	}
	runtime.GC() // so that no parser collects another's garbage
	begin := cpuTime(p.usage)
	err := p.parse(rows, extracted)
	p.cpu[kind] += cpuTime(p.usage) - begin
	return err
}

// cpuTime is user and system time, the garbage collector's included.
func cpuTime(who int) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(who, &usage); err != nil {
		panic(err) // only a wrong argument makes it fail
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// speed is two cells, MB/s and the ratio to the baseline's.
func (p *parser) speed(kind int, baseline *parser) string {
	if p.parse == nil {
		return notInstalled + "\t\t"
	}
	seconds := p.cpu[kind].Seconds()
	return fmt.Sprintf("%.0f\t%.1f\t", turns*turnBytes/1e6/seconds, baseline.cpu[kind].Seconds()/seconds)
}
