package ocichart_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// What the package says in another way than the C library does, and how.
var otherwise = map[string]string{
	"oci_chart_answer_set_failure":        "a callback's own error is kept in Go",
	"oci_chart_cancel_token_is_cancelled": "context.Context knows",
	"oci_chart_chart_get_name":            "of oci_chart_chart_get_metadata",
	"oci_chart_chart_get_version":         "of oci_chart_chart_get_metadata",
	"oci_chart_error_get_context_json":    "of oci_chart_error_to_json",
	"oci_chart_error_get_hint":            "of oci_chart_error_to_json",
	"oci_chart_error_get_operation":       "of oci_chart_error_to_json",
	"oci_chart_error_get_reason":          "of oci_chart_error_to_json",
	"oci_chart_error_get_retry_after_ms":  "of oci_chart_error_to_json",
	"oci_chart_error_get_status":          "it is the status of the call",
	"oci_chart_error_is_retryable":        "of oci_chart_error_to_json",
	"oci_chart_pulled_get_digest":         "of oci_chart_pulled_get_descriptor",
	"oci_chart_status_string":             "the package has the table",
	"oci_chart_verified_get_digest":       "of oci_chart_verified_get_descriptor",
	"oci_chart_version_number":            "of oci_chart_version",
}

func TestNoFunctionOfTheLibraryIsMissing(t *testing.T) {
	var used strings.Builder
	for _, pattern := range []string{"*.go", "*.c"} {
		for _, path := range got[[]string](t)(filepath.Glob(pattern)) {
			if !strings.HasSuffix(path, "_test.go") {
				used.Write(got[[]byte](t)(os.ReadFile(path)))
			}
		}
	}
	for _, name := range strings.Fields(string(got[[]byte](t)(os.ReadFile("../abi/symbols.txt")))) {
		is := regexp.MustCompile(`\b` + name + `\(`).MatchString(used.String())
		if _, known := otherwise[name]; is == known {
			t.Errorf("%s: used %t, excused %t", name, is, known)
		}
	}
}

func TestKindsAreThoseOfTheHeader(t *testing.T) {
	header := string(got[[]byte](t)(os.ReadFile("../include/oci_chart.h")))
	statuses := regexp.MustCompile(`OCI_CHART_STATUS_([A-Z_]+) = (\d+),`).FindAllStringSubmatch(header, -1)
	kinds := string(got[[]byte](t)(os.ReadFile("kind.go")))
	if len(statuses) < 30 {
		t.Fatalf("%d statuses", len(statuses))
	}
	for _, status := range statuses {
		if status[2] == "0" {
			continue
		}
		word := strings.ToLower(strings.ReplaceAll(status[1], "_", "-"))
		number := regexp.MustCompile(`(?m)^\tErr(\w+) Kind = ` + status[2] + `$`).FindStringSubmatch(kinds)
		if number == nil || !regexp.MustCompile(`Err`+number[1]+`: +"`+word+`"`).MatchString(kinds) {
			t.Errorf("%s = %s is no kind, or has another name", status[1], status[2])
		}
	}
}
