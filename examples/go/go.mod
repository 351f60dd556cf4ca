module github.com/oci-chart/oci-chart/examples/go

go 1.24

require github.com/oci-chart/oci-chart/oci-chart-c/go v0.0.0

replace github.com/oci-chart/oci-chart/oci-chart-c/go => ../../oci-chart-c/go
