package main

import (
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const asDemo = "RUN_AS_DEMO"

// TestMain is a demo, if it is told to be: it has the terminal, and ends a moment after Ctrl-C.
func TestMain(m *testing.M) {
	if os.Getenv(asDemo) == "" {
		os.Exit(m.Run())
	}
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt)
	takeTerminal()
	_, _ = os.Stdout.WriteString("running\n")
	<-interrupts
	_, _ = os.Stdout.WriteString("ended\n")
}

// TestCtrlCIsNoErrorOfMake types Ctrl-C into the terminal of a make that runs the demo:
// somebody has seen enough, and that is a success.
func TestCtrlCIsNoErrorOfMake(t *testing.T) {
	makefile := filepath.Join(t.TempDir(), "Makefile")
	if err := os.WriteFile(makefile, []byte("demo:\n\t@"+os.Args[0]+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	terminal := exec.CommandContext(t.Context(), "script", "--quiet", "--return", "--command", "make -f "+makefile, "/dev/null")
	terminal.Env = append(os.Environ(), asDemo+"=yes", "SHELL=/bin/sh")
	keyboard, err := terminal.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	screen, err := terminal.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := terminal.Start(); err != nil {
		t.Skipf("there is no terminal to be had: %v", err)
	}
	kill := time.AfterFunc(time.Minute, func() { _ = terminal.Process.Kill() })
	defer kill.Stop()
	shown := ""
	for buffer := make([]byte, 1024); !strings.Contains(shown, "running"); {
		count, err := screen.Read(buffer)
		if shown += string(buffer[:count]); err != nil {
			t.Fatalf("%v; it shows %s", err, shown)
		}
	}
	if _, err := keyboard.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	rest, _ := io.ReadAll(screen) // that it is closed is no error
	shown += string(rest)
	if err := terminal.Wait(); err != nil || !strings.Contains(shown, "ended") {
		t.Errorf("%v; it shows\n%s", err, shown)
	}
}
