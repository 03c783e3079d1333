package store

import (
	"context"
	"math"
)

// FileRoom is how many bytes of a file of this name a tenant can still send: what its
// files leave of the limit. One of the same name may be the same file, sent again, so that
// its bytes are no obstacle; AddFile has the last word.
func (s *Store) FileRoom(ctx context.Context, tenant, filename string, limits Limits) (int64, error) {
	if limits.FileBytes == 0 {
		return math.MaxInt64, nil
	}
	room := limits.FileBytes
	err := s.reader.QueryRowContext(ctx, `
		SELECT CAST($1 - coalesce(sum(bytes), 0) + coalesce(max(bytes) FILTER (WHERE filename = $2), 0) AS BIGINT)
		FROM files WHERE tenant = $3`,
		limits.FileBytes, filename, tenant).Scan(&room)
	return room, err
}
