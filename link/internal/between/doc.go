// Package between runs nginx and HAProxy for tests that put them between the two ends of a WebSocket. They are Debian's:
// apt-get install nginx haproxy. It needs the build tag servers.
package between
