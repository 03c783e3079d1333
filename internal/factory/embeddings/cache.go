package embeddings

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"net/url"
	"os"
	"sync"
	"time"

	"modernc.org/sqlite" // the driver, too
	sqlite3 "modernc.org/sqlite/lib"
)

const (
	// cacheTimeout is what a look into the cache, or its growth, may take.
	cacheTimeout = 5 * time.Second
	// maxEncoders bounds how many are recognised.
	maxEncoders = 64
	// evictedTexts make room for one.
	evictedTexts = 2
)

// Cache has the vectors of texts on disk, within a bound: the oldest make room. It has
// digests of texts, not texts. Several processes may have the same file, and any may be
// killed: a transaction is there as a whole or not at all. A cache that fails has nothing.
type Cache struct {
	file  string
	bytes int64
	open  func() (*sql.DB, error)
}

// NewCache opens the file when it is needed first. Without a file nothing is kept.
func NewCache(file string, bytes int64) *Cache {
	c := &Cache{file: file, bytes: bytes}
	c.open = sync.OnceValues(func() (*sql.DB, error) {
		if file == "" {
			return nil, errors.New("there is no cache")
		}
		database, err := openCache(file)
		if failure, ok := errors.AsType[*sqlite.Error](err); ok && (failure.Code()&0xff == sqlite3.SQLITE_NOTADB || failure.Code()&0xff == sqlite3.SQLITE_CORRUPT) {
			for _, suffix := range []string{"", "-wal", "-shm"} {
				_ = os.Remove(file + suffix) // nothing is lost that cannot be asked again
			}
			database, err = openCache(file)
		}
		return database, err
	})
	return c
}

const cacheTables = `
CREATE TABLE IF NOT EXISTS encoders (id INTEGER PRIMARY KEY, fingerprint BLOB NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS vectors (id INTEGER PRIMARY KEY, text BLOB NOT NULL UNIQUE, vector BLOB NOT NULL);`

func openCache(path string) (*sql.DB, error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600) // SQLite makes its log like it
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	// What a machine loses that goes down is asked again: nothing waits for the disk.
	pragmas := "_pragma=busy_timeout(2000)&_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=cache_size(-4000)&_pragma=journal_size_limit(16777216)&_txlock=immediate"
	database, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath(), RawQuery: pragmas}).String())
	if err != nil {
		return nil, err
	}
	database.SetMaxOpenConns(requestsAtOnce)
	if _, err := database.Exec(cacheTables); err != nil {
		return nil, errors.Join(err, database.Close())
	}
	return database, nil
}

// Close closes the file, if it was opened.
func (c *Cache) Close() error {
	database, err := c.open()
	if err != nil {
		return nil
	}
	return database.Close()
}

// textKey tells texts of different encoders apart.
func textKey(of *identity, text string) []byte {
	sum := sha256.Sum256([]byte(of.digest + text))
	return sum[:]
}

// get returns nil for what is not there, or not as it was written.
func (c *Cache) get(ctx context.Context, of *identity, text string) []float32 {
	database, err := c.open()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	key := textKey(of, text)
	var data []byte
	if err := database.QueryRowContext(ctx, `SELECT vector FROM vectors WHERE text = ?`, key).Scan(&data); err != nil {
		return nil
	}
	return readVector(data, key, of.dimension)
}

// put keeps vectors, which may fail: then they are asked for again.
func (c *Cache) put(ctx context.Context, of *identity, texts []string, vectors [][]float32) {
	database, err := c.open()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cacheTimeout)
	defer cancel()
	transaction, err := database.BeginTx(ctx, nil)
	if err != nil {
		return
	}
	defer func() { _ = transaction.Rollback() }() // does nothing after the commit
	for i, text := range texts {
		key := textKey(of, text)
		if _, err := transaction.ExecContext(ctx, `INSERT OR IGNORE INTO vectors (text, vector) VALUES (?, ?)`, key, writeVector(vectors[i], key)); err != nil {
			return
		}
	}
	if c.makeRoom(ctx, transaction, len(texts)) == nil {
		_ = transaction.Commit()
	}
}

// makeRoom removes what is oldest when all together is above the bound. The file keeps its
// size, and what is in it changes.
func (c *Cache) makeRoom(ctx context.Context, transaction *sql.Tx, added int) error {
	var used int64
	err := transaction.QueryRowContext(ctx, `SELECT (page_count - freelist_count) * page_size
		FROM pragma_page_count, pragma_freelist_count, pragma_page_size`).Scan(&used)
	if err != nil || used <= c.bytes {
		return err
	}
	_, err = transaction.ExecContext(ctx, `DELETE FROM vectors WHERE id IN (SELECT id FROM vectors ORDER BY id LIMIT ?)`, added*evictedTexts)
	return err
}

// recognise returns the identity that an encoder had when it was seen first.
func (c *Cache) recognise(ctx context.Context, seen *identity) *identity {
	database, err := c.open()
	if err != nil {
		return seen
	}
	ctx, cancel := context.WithTimeout(ctx, cacheTimeout)
	defer cancel()
	transaction, err := database.BeginTx(ctx, nil)
	if err != nil {
		return seen
	}
	defer func() { _ = transaction.Rollback() }() // does nothing after the commit
	if before := findEncoder(ctx, transaction, seen); before != nil {
		return before
	}
	_, err = transaction.ExecContext(ctx, `INSERT INTO encoders (fingerprint) VALUES (?)`, seen.fingerprint)
	if err == nil {
		_, err = transaction.ExecContext(ctx, `DELETE FROM encoders WHERE id <= (SELECT max(id) FROM encoders) - ?`, maxEncoders)
	}
	if err == nil {
		_ = transaction.Commit()
	}
	return seen
}

func findEncoder(ctx context.Context, transaction *sql.Tx, seen *identity) *identity {
	rows, err := transaction.QueryContext(ctx, `SELECT fingerprint FROM encoders ORDER BY id`)
	if err != nil {
		return nil
	}
	defer rows.Close()
	for rows.Next() {
		var fingerprint []byte
		if rows.Scan(&fingerprint) != nil {
			return nil
		}
		if before := readIdentity(fingerprint); before != nil && before.same(seen) {
			return before
		}
	}
	_ = rows.Err() // it is a new one then
	return nil
}

var checksums = crc32.MakeTable(crc32.Castagnoli)

// writeVector appends a checksum to the numbers: disks forget.
func writeVector(vector []float32, key []byte) []byte {
	data := make([]byte, 0, 4*len(vector)+4)
	for _, value := range vector {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(value))
	}
	return binary.LittleEndian.AppendUint32(data, crc32.Update(crc32.Checksum(key, checksums), checksums, data))
}

func readVector(data, key []byte, dimension int) []float32 {
	if len(data) != 4*dimension+4 {
		return nil
	}
	content := data[:4*dimension]
	if binary.LittleEndian.Uint32(data[len(content):]) != crc32.Update(crc32.Checksum(key, checksums), checksums, content) {
		return nil
	}
	vector := make([]float32, dimension)
	for i := range vector {
		vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(content[4*i:]))
	}
	return vector
}
