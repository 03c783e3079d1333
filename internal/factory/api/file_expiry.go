package api

import (
	"strconv"
	"time"
)

// maxFileHours is a year. Who counts in seconds asks for more, and is told.
const maxFileHours = 365 * 24

// expiresAt is when a file that is uploaded now expires, if it does: after the hours
// that the form's expiry says, or with the server's lifetime of files if that is
// sooner. No document of the hosted service names the unit; that of its signed URLs'
// expiry is hours.
func (s *Server) expiresAt(upload *upload) (*int64, error) {
	lifetime := s.config.FileLifetime
	if text, given := upload.fields["expiry"]; given {
		hours, err := strconv.Atoi(text)
		if err != nil || hours < 1 || hours > maxFileHours {
			return nil, unprocessable("The expiry must be a number of hours from 1 to %d.", maxFileHours)
		}
		if wanted := time.Duration(hours) * time.Hour; lifetime == 0 || wanted < lifetime {
			lifetime = wanted
		}
	}
	if lifetime == 0 {
		return nil, nil
	}
	expiry := s.now().Add(lifetime).Unix()
	return &expiry, nil
}
