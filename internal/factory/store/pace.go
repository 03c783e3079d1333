package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"strconv"
)

// LearnPace remembers how fast this machine did a training: how many seconds of work,
// as the engine reckons it, in a second of a processor. The last jobs count most: they
// are what the next is likely to resemble.
func (s *Store) LearnPace(ctx context.Context, measured float64) error {
	return s.write(ctx, func(tx *sql.Tx) error {
		known, err := readPace(ctx, tx)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO settings VALUES ('work_pace', $1) ON CONFLICT (name) DO UPDATE SET value = $1`,
			strconv.AppendFloat(nil, math.Sqrt(known*measured), 'g', -1, 64))
		return err
	})
}

// Pace is how many seconds of work this machine does in one; it is 1 until it was measured.
func (s *Store) Pace(ctx context.Context) (float64, error) {
	return readPace(ctx, s.reader)
}

func readPace(ctx context.Context, q querier) (float64, error) {
	pace, err := one(ctx, q, scanString, `SELECT value FROM settings WHERE name = 'work_pace'`)
	if errors.Is(err, ErrNotFound) {
		return 1, nil
	}
	if err != nil {
		return 0, err
	}
	value, err := strconv.ParseFloat(pace, 64)
	if err != nil {
		return 0, fmt.Errorf("the pace of training: %w", err)
	}
	return value, nil
}
