package api

import (
	"os"
	"testing"

	"github.com/classifier-factory/classifier-factory/internal/factory/store/postgrestest"
)

func TestMain(m *testing.M) { os.Exit(postgrestest.Tests{M: m}.Run()) }
