// Package between puts what stands between a relay and its service in the real world there: nginx and HAProxy before
// the service, tinyproxy before the relay. They are Debian's: apt-get install nginx haproxy tinyproxy.
package between
