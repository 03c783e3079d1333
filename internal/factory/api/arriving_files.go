package api

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"sync"

	"github.com/classifier-factory/classifier-factory/internal/factory/store"
)

// lookAgain is after how many bytes it is looked again how much room a file has: others
// are added and deleted while it comes.
const lookAgain = 4 << 20

// arrivingFiles are bytes that tenants are sending. They count as those of files do, or
// many at once would fill the disk.
type arrivingFiles struct {
	store  *store.Store
	limits store.Limits

	mutex   sync.Mutex
	tenants map[string]int64
}

func newArrivingFiles(stored *store.Store, limits store.Limits) *arrivingFiles {
	return &arrivingFiles{store: stored, limits: limits, tenants: map[string]int64{}}
}

// arrivingFile counts what is written to it.
type arrivingFile struct {
	files          *arrivingFiles
	context        context.Context
	tenant, name   string
	bytes, checked int64
	room           int64 // of all that arrives of the tenant, when it was looked last
}

func (f *arrivingFiles) begin(ctx context.Context, tenant, name string) *arrivingFile {
	return &arrivingFile{files: f, context: ctx, tenant: tenant, name: name}
}

// Write refuses the bytes for which there is no room.
func (a *arrivingFile) Write(data []byte) (int, error) {
	if a.files.limits.FileBytes == 0 {
		return len(data), nil
	}
	size := int64(len(data))
	fits := a.bytes < a.checked+lookAgain && a.files.add(a.tenant, size, a.room)
	if !fits {
		room, err := a.files.store.FileRoom(a.context, a.tenant, a.name, a.files.limits)
		if err != nil {
			return 0, err
		}
		a.room, a.checked = room, a.bytes
		fits = a.files.add(a.tenant, size, room)
	}
	if !fits {
		a.end() // at once: others may fit without it
		return 0, &problem{Status: http.StatusForbidden, Detail: fmt.Sprintf(
			"With this file, all files together would have more than %d bytes, those that are being sent included. Delete some, or wait until the others are there.", a.files.limits.FileBytes)}
	}
	a.bytes += size
	return len(data), nil
}

// end is when the file is stored, or will not be.
func (a *arrivingFile) end() {
	a.files.add(a.tenant, -a.bytes, math.MaxInt64)
	a.bytes = 0
}

// add counts bytes of a tenant's files if all that arrive then have room.
func (f *arrivingFiles) add(tenant string, bytes, room int64) bool {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	arriving := f.tenants[tenant] + bytes
	if arriving > room {
		return false
	}
	if f.tenants[tenant] = arriving; arriving == 0 {
		delete(f.tenants, tenant)
	}
	return true
}
