// Package autoconfig keeps a relay configured. It follows the auto-configuration stream and tells the relay which
// environments to add, update and remove, and when an old key has expired.
//
// Implement MessageHandler, make a manager with NewStreamManager, call Start, and wait on its channel.
package autoconfig
