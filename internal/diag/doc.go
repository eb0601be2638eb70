// Package diag holds what requeen says when something is wrong or worth
// knowing: diagnostics with their source range, the table of RQ codes and the
// process exit statuses.
//
// It must not import anything of ours nor any vendor package, print, or end the
// process: what it holds is data, and internal/view puts it on a screen.
package diag
