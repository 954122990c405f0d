package redistest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"
)

// Do sends a command, such as "CLUSTER INFO", and returns the text of the answer: of a status, a number or a string.
func (s *Server) Do(command string) (string, error) {
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		return "", err
	}
	defer conn.Close()
	const patience = 5 * time.Second
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := io.WriteString(conn, command+"\r\n"); err != nil {
		return "", err
	}
	return readAnswer(bufio.NewReader(conn))
}

// MustDo is Do for a command that can't fail.
func (s *Server) MustDo(command string) string {
	s.tb.Helper()
	answer, err := s.Do(command)
	if err != nil {
		s.tb.Fatalf("%s: %v", command, err)
	}
	return answer
}

// readAnswer reads one answer. The texts of a list are joined by spaces.
func readAnswer(r *bufio.Reader) (string, error) {
	line, err := r.ReadString('\n')
	if err != nil {
		return "", err
	}
	line = strings.TrimSuffix(line, "\r\n")
	if line == "" {
		return "", errors.New("the answer is empty")
	}
	text := line[1:]
	switch line[0] {
	case '+', ':':
		return text, nil
	case '-':
		return "", errors.New(text)
	}
	length, err := strconv.Atoi(text)
	if err != nil {
		return "", fmt.Errorf("the answer makes no sense: %q", line)
	}
	if line[0] == '*' {
		texts := make([]string, 0, max(0, length))
		for range length {
			text, err := readAnswer(r)
			if err != nil {
				return "", err
			}
			texts = append(texts, text)
		}
		return strings.Join(texts, " "), nil
	}
	if length < 0 {
		return "", nil
	}
	value := make([]byte, length+len("\r\n"))
	_, err = io.ReadFull(r, value)
	return string(value[:length]), err
}
