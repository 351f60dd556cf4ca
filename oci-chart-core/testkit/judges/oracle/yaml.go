package main

import (
	"bytes"
	"encoding/json"

	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"sigs.k8s.io/yaml"
)

// yamlToJSON decodes a document without a target type.
func yamlToJSON(q *question) answer {
	text := q.bytes()
	result := answer{}
	decoded, err := yaml.YAMLToJSON(text)
	if err != nil {
		result = failed(err)
	} else {
		result["json"] = string(decoded)
	}
	if q.Strict {
		if _, err := yaml.YAMLToJSONStrict(text); err != nil {
			result["strict_error"] = err.Error()
		}
	}
	return result
}

// yamlString decodes into a struct whose field `a` is a string, as `appVersion: 1.10` is.
func yamlString(q *question) answer {
	var target struct {
		A string `json:"a"`
	}
	if err := yaml.Unmarshal(q.bytes(), &target); err != nil {
		return failed(err)
	}
	return answer{"string": target.A}
}

// yamlEmit writes a JSON value as YAML; numbers keep the digits they came with.
func yamlEmit(q *question) answer {
	var value any
	decoder := json.NewDecoder(bytes.NewReader([]byte(q.JSON)))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return answer{"unanswerable": err.Error()}
	}
	text, err := yaml.Marshal(value)
	if err != nil {
		return failed(err)
	}
	return answer{"yaml": string(text)}
}

// values reads a values file as the loader does: all documents, merged; numbers are float64 by then.
func values(q *question) answer {
	merged, err := loader.LoadValues(bytes.NewReader(q.bytes()))
	if err != nil {
		return failed(err)
	}
	return withJSON(answer{}, "json", merged)
}

// withJSON puts the JSON text of a value into a column, as encoding/json writes it.
func withJSON(result answer, column string, value any) answer {
	text, err := json.Marshal(value)
	if err != nil {
		result[column+"_error"] = err.Error()
	} else {
		result[column] = string(text)
	}
	return result
}
