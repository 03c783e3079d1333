package main

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"time"
)

// installed is also true of what needs no program.
func installed(program string) bool {
	if program == "" {
		return true
	}
	_, err := exec.LookPath(program)
	return err == nil
}

// runProgram returns what a program prints, and the CPU time that it takes.
func runProgram(ctx context.Context, name string, arguments ...string) (output []byte, spent time.Duration, err error) {
	var printed, complaints bytes.Buffer
	command := exec.CommandContext(ctx, name, arguments...)
	command.Stdout, command.Stderr = &printed, &complaints
	if err := command.Run(); err != nil {
		return nil, 0, fmt.Errorf("%s: %w: %.200s", name, err, complaints.String())
	}
	return printed.Bytes(), command.ProcessState.UserTime() + command.ProcessState.SystemTime(), nil
}

// predictionSpeed is how many texts a program predicts in a CPU second. Loading the model
// does not count: it is measured with a file of no texts. The fastest of three turns
// of each is taken, as loading takes longer than the rest.
func predictionSpeed(texts int, predict func(path string) (time.Duration, error), full, empty string) (float64, error) {
	fastest := map[string]time.Duration{}
	for range 3 {
		for _, path := range []string{full, empty} {
			spent, err := predict(path)
			if err != nil {
				return 0, err
			}
			if before, ok := fastest[path]; !ok || spent < before {
				fastest[path] = spent
			}
		}
	}
	return perSecond(texts, fastest[full]-fastest[empty]), nil
}
