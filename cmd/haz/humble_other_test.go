//go:build !linux

package main

import "errors"

func dropPowers() error { return errors.New("root keeps its powers on this system") }

func onTmpfs(string) bool { return false }
