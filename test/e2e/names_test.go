package e2e

import (
	"context"
	"net"
	"strings"

	"golang.org/x/net/dns/dnsmessage"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// serveNames is the node's DNS: it tells the addresses of Services, and of nothing else.
func serveNames(address string, cluster client.Reader) error {
	connection, err := net.ListenPacket("udp", net.JoinHostPort(address, "53"))
	if err != nil {
		return err
	}
	go func() {
		buffer := make([]byte, 512)
		for {
			length, from, err := connection.ReadFrom(buffer)
			if err != nil {
				return // it is closed with the process
			}
			var query dnsmessage.Message
			if query.Unpack(buffer[:length]) != nil || len(query.Questions) != 1 {
				continue
			}
			answer, err := answerName(cluster, query)
			if err == nil {
				_, _ = connection.WriteTo(answer, from)
			}
		}
	}()
	return nil
}

func answerName(cluster client.Reader, query dnsmessage.Message) ([]byte, error) {
	question := query.Questions[0]
	answer := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: query.ID, Response: true, Authoritative: true, RCode: dnsmessage.RCodeNameError},
		Questions: query.Questions,
	}
	parts := strings.Split(question.Name.String(), ".")
	service := &corev1.Service{}
	if len(parts) == 6 && strings.HasSuffix(question.Name.String(), ".svc.cluster.local.") &&
		cluster.Get(context.Background(), client.ObjectKey{Namespace: parts[1], Name: parts[0]}, service) == nil {
		answer.RCode = dnsmessage.RCodeSuccess
		if address := net.ParseIP(service.Spec.ClusterIP).To4(); address != nil && question.Type == dnsmessage.TypeA {
			answer.Answers = []dnsmessage.Resource{{
				Header: dnsmessage.ResourceHeader{Name: question.Name, Type: question.Type, Class: question.Class, TTL: 1},
				Body:   &dnsmessage.AResource{A: [4]byte(address)},
			}}
		}
	}
	return answer.Pack()
}
