package main

import "errors"

// doQuery is `haz query`.
func doQuery(v *invocation) error {
	return errors.New("package graph/query has not landed yet")
}
