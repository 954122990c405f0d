//go:build linux

package main

func stalledCase(*report) {}
func latencyCase(*report) {}
func scaleCase(*report)   {}
func herdCase(*report)    {}
func soakCase(*report)    {}
