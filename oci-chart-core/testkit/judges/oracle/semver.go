package main

import (
	"sort"

	"github.com/Masterminds/semver/v3"
)

// constraint checks every version, read loosely, against one constraint.
func constraint(q *question) answer {
	c, err := semver.NewConstraint(q.Constraint)
	if err != nil {
		return failed(err)
	}
	yes, no, bad := []string{}, []string{}, []string{}
	for _, text := range q.Versions {
		v, err := semver.NewVersion(text)
		switch {
		case err != nil:
			bad = append(bad, text)
		case c.Check(v):
			yes = append(yes, text)
		default:
			no = append(no, text)
		}
	}
	return answer{"string": c.String(), "yes": yes, "no": no, "bad": bad}
}

// version reads one version both ways.
func version(q *question) answer {
	result := answer{}
	if v, err := semver.NewVersion(q.Version); err != nil {
		result["loose_error"] = err.Error()
	} else {
		result["loose"] = v.String()
		result["prerelease"] = v.Prerelease()
		result["metadata"] = v.Metadata()
	}
	if _, err := semver.StrictNewVersion(q.Version); err != nil {
		result["strict_error"] = err.Error()
	} else {
		result["strict"] = true
	}
	return result
}

// compare orders two versions, read loosely.
func compare(q *question) answer {
	a, err := semver.NewVersion(q.A)
	if err != nil {
		return failed(err)
	}
	b, err := semver.NewVersion(q.B)
	if err != nil {
		return failed(err)
	}
	return answer{"cmp": a.Compare(b)}
}

// newest sorts the strict ones among the versions, newest first, as a tag list is read.
func newest(q *question) answer {
	kept, dropped := semver.Collection{}, []string{}
	for _, text := range q.Versions {
		if v, err := semver.StrictNewVersion(text); err != nil {
			dropped = append(dropped, text)
		} else {
			kept = append(kept, v)
		}
	}
	sort.Sort(sort.Reverse(kept))
	first := make([]string, len(kept))
	for i, v := range kept {
		first[i] = v.String()
	}
	return answer{"newest_first": first, "dropped": dropped}
}
