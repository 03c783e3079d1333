package factory

import (
	"cmp"
	"fmt"
	"math"

	"github.com/KimMachineGun/automemlimit/memlimit"
)

// leastTrainingMemory is what the smallest training has room in.
const leastTrainingMemory = 128 << 20

// Memory is how the bytes of memory that there are get shared.
type Memory struct {
	Training int64 // of each training
	Serving  int64 // what is left to the server; not bounded if it is not known what there is
}

// ShareMemory shares what there is by the cgroup or, without a limit there, the machine. A
// training gets what it is given or, if that is 0, its part of a half. Without workers all is the
// server's.
func ShareMemory(training int64, workers int) (Memory, error) {
	there, err := memlimit.ApplyFallback(memlimit.FromCgroup, memlimit.FromSystem)()
	if err != nil {
		there = 0
	}
	return shareMemory(int64(min(there, math.MaxInt64)), training, int64(max(workers, 0)))
}

func shareMemory(there, training, workers int64) (Memory, error) {
	switch {
	case workers == 0:
		return Memory{Serving: cmp.Or(there, math.MaxInt64)}, nil
	case training == 0 && there == 0:
		return Memory{}, fmt.Errorf("it is not known how much memory there is: say with --training-memory how much of it a training may take")
	case training == 0:
		training = there / 2 / workers
	}
	if training < leastTrainingMemory {
		return Memory{}, fmt.Errorf("--training-memory: a training gets %d bytes, but needs %d at least: give the factory more memory, or fewer --workers", training, leastTrainingMemory)
	}
	if there == 0 {
		return Memory{Training: training, Serving: math.MaxInt64}, nil
	}
	serving := there - workers*training
	if serving < leastTrainingMemory {
		return Memory{}, fmt.Errorf("--training-memory: %d trainings of %d bytes leave less than %d of %d to the server: lower it, or --workers",
			workers, training, leastTrainingMemory, there)
	}
	return Memory{Training: training, Serving: serving}, nil
}
