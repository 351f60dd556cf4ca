module github.com/oci-chart/oci-chart/oci-chart-c/go

go 1.24
