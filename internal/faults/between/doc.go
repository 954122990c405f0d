// Package between tests the servers that stand between a relay and its service in the real world: nginx and HAProxy before
// the service, tinyproxy before the relay. They are Debian's: apt-get install nginx haproxy tinyproxy.
package between
