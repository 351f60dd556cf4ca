package ocichart_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	ocichart "github.com/oci-chart/oci-chart/oci-chart-c/go"
)

// The parity scenarios, as the other languages run them (oci-chart-core/testkit/scenarios/README.md).
const scenarios = "../../oci-chart-core/testkit/scenarios"

type scenario struct {
	Stores   []string
	Registry struct{ Auth, User, Password string }
	Login    struct{ User, Password string }
	Steps    []map[string]any
}

func TestScenarios(t *testing.T) {
	paths := got[[]string](t)(filepath.Glob(scenarios + "/*.json"))
	if len(paths) < 9 {
		t.Fatalf("%d scenarios", len(paths))
	}
	for _, path := range paths {
		var told scenario
		must(t, json.Unmarshal(got[[]byte](t)(os.ReadFile(path)), &told))
		if len(told.Stores) == 0 {
			told.Stores = []string{"none"}
		}
		for _, store := range told.Stores {
			name := strings.TrimSuffix(filepath.Base(path), ".json") + "/" + store
			t.Run(name, func(t *testing.T) { newWorld(t, told, store).run(told.Steps) })
		}
	}
}

// world is where a scenario happens, with the results of its steps.
type world struct {
	*testing.T
	client           *ocichart.Client
	base, repository string
	charts           map[string]*ocichart.Chart
	packages         map[string]*ocichart.Package
	keys             map[string]*ocichart.Signer
	verified         map[string]*ocichart.Verified
	host, logins     string
	results          map[string]map[string]any
}

func newWorld(t *testing.T, told scenario, store string) *world {
	w := &world{
		T: t, charts: map[string]*ocichart.Chart{}, packages: map[string]*ocichart.Package{}, keys: map[string]*ocichart.Signer{},
		verified: map[string]*ocichart.Verified{}, results: map[string]map[string]any{},
	}
	var options ocichart.ClientOptions
	switch store {
	case "layout":
		w.base = "oci-layout:" + t.TempDir()
		w.repository = w.base
	case "registry":
		var arguments []string
		if told.Registry.Auth != "" {
			arguments = []string{"--" + told.Registry.Auth, told.Registry.User + ":" + told.Registry.Password}
		}
		server := serve(t, arguments...)
		w.base = "oci://" + server.host + "/charts"
		w.repository = w.base + "/web"
		w.host, w.logins = server.host, t.TempDir()+"/logins.json"
		options.Hosts = plain(server.host)
		if told.Login.User != "" {
			options.Logins = map[string]ocichart.Credentials{server.host: {User: told.Login.User, Password: told.Login.Password}}
		}
	}
	w.client = client(t, options)
	return w
}

func (w *world) run(steps []map[string]any) {
	verbs := map[string]func(map[string]any) (map[string]any, error){
		"load": w.load, "package": w.pack, "push": w.push, "pull": w.pull, "metadata": w.metadata, "resolve": w.resolve, "tags": w.tags,
		"tag": w.tag, "exists": w.exists, "delete": w.delete, "reference": w.reference, "matches": w.matches,
		"show": w.show, "key": w.key, "sign": w.sign, "verify": w.verify, "attach": w.attach, "tree": w.tree, "login": w.login,
		"logout": w.logout, "diagnose": w.diagnose, "pull-verified": w.pullVerified, "verify-subchart": w.verifySubchart,
	}
	for number, step := range steps {
		at := fmt.Sprintf("step %d: %v", number+1, step["do"])
		verb, known := verbs[step["do"].(string)]
		if !known {
			w.Fatalf("%s: no such verb", at)
		}
		found, err := verb(step)
		wanted, fails := step["error"].(map[string]any)
		if !fails {
			wanted, _ = step["expect"].(map[string]any)
		}
		if fails != (err != nil) {
			w.Fatalf("%s: %v, %+v", at, found, err)
		}
		if fails {
			var details *ocichart.Error
			if !errors.As(err, &details) || !errors.Is(err, details.Kind) {
				w.Fatalf("%s: %T", at, err)
			}
			found = map[string]any{"kind": details.Kind.String(), "reason": details.Reason}
		}
		for member, value := range wanted {
			if shown, meant := asJSON(w, found[member]), asJSON(w, w.resolved(value)); shown != meant {
				w.Fatalf("%s: %s is %s, not %s (%+v)", at, member, shown, meant, err)
			}
		}
		if name, kept := step["as"].(string); kept {
			w.results[name] = found
		}
	}
}

func asJSON(w *world, value any) string {
	return string(got[[]byte](w.T)(json.Marshal(value)))
}

// resolved is the value, or the member of an earlier result that it names.
func (w *world) resolved(value any) any {
	if text, is := value.(string); is && strings.HasPrefix(text, "$") && strings.Contains(text, ".") {
		name, member, _ := strings.Cut(text[1:], ".")
		return w.results[name][member]
	}
	return value
}

// meant is the target and the version that a selector stands for.
func (w *world) meant(step map[string]any, key string) (target, version string) {
	selector := w.resolved(step[key]).(string)
	if strings.HasPrefix(selector, "sha256:") {
		return w.repository + "@" + selector, ""
	}
	return w.repository, selector
}

func text(step map[string]any, key string) string {
	text, _ := step[key].(string)
	return text
}

func unix(step map[string]any, key string) time.Time {
	if seconds, set := step[key].(float64); set {
		return time.Unix(int64(seconds), 0)
	}
	return time.Time{}
}

func (w *world) load(step map[string]any) (map[string]any, error) {
	content := map[string]string{}
	for path, text := range step["files"].(map[string]any) {
		content[path] = text.(string)
	}
	name := text(step, "directory")
	if name == "" {
		name = "web"
	}
	chart, err := ocichart.LoadChart(context.Background(), files(w, name, content), nil)
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { chart.Close() })
	w.charts[text(step, "as")] = chart
	metadata, dependencies := chart.Metadata(), []string{}
	for _, dependency := range got[[]ocichart.Subchart](w)(chart.Dependencies()) {
		dependencies = append(dependencies, dependency.Name)
	}
	return map[string]any{
		"name": chart.Name(), "version": chart.Version(), "app_version": metadata.AppVersion, "api_version": metadata.APIVersion,
		"dependencies": dependencies, "readme": string(got[[]byte](w)(chart.Readme())),
	}, nil
}

func (w *world) pack(step map[string]any) (map[string]any, error) {
	options := ocichart.PackageOptions{Version: text(step, "version"), AppVersion: text(step, "app_version"), Time: unix(step, "time")}
	pack, err := w.charts[text(step, "chart")[1:]].Package(context.Background(), &options)
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { pack.Close() })
	w.packages[text(step, "as")] = pack
	return map[string]any{"digest": pack.Digest(), "size": pack.Size(), "file": got[string](w)(pack.FileName())}, nil
}

var modes = map[string]ocichart.TagMode{"": ocichart.Create, "create": ocichart.Create, "ensure": ocichart.Ensure, "replace": ocichart.Replace}

func (w *world) push(step map[string]any) (map[string]any, error) {
	options := ocichart.PushOptions{Mode: modes[text(step, "mode")], Created: unix(step, "created")}
	pushed, err := w.client.Push(context.Background(), w.packages[text(step, "package")[1:]], w.base, &options)
	if err != nil {
		return nil, err
	}
	return map[string]any{"digest": pushed.Descriptor.Digest, "tag": pushed.Tag, "action": pushed.Action}, nil
}

func (w *world) pull(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	pulled, err := w.client.Pull(context.Background(), target, &ocichart.PullOptions{Version: version, WithoutVerification: true})
	if err != nil {
		return nil, err
	}
	return w.about(pulled), nil
}

// about is what was pulled, which is closed.
func (w *world) about(pulled *ocichart.Pulled) map[string]any {
	defer pulled.Close()
	metadata := got[*ocichart.Metadata](w)(pulled.Package.Metadata())
	return map[string]any{
		"digest": pulled.Descriptor.Digest, "package": pulled.Package.Digest(), "name": metadata.Name, "version": metadata.Version,
	}
}

func (w *world) metadata(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	found, err := w.client.FetchMetadata(context.Background(), target, version)
	if err != nil {
		return nil, err
	}
	return map[string]any{"name": found.Name, "version": found.Version}, nil
}

func (w *world) resolve(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	found, err := w.client.Resolve(context.Background(), target, version)
	if err != nil {
		return nil, err
	}
	return map[string]any{"digest": found.Digest}, nil
}

func (w *world) tags(map[string]any) (map[string]any, error) {
	all, err := w.client.Tags(context.Background(), w.repository)
	listed := []string{}
	for tag, problem := range w.client.ListTags(context.Background(), w.repository) {
		if problem == nil {
			listed = append(listed, tag)
		} else if err == nil {
			w.Errorf("%+v", problem)
		}
	}
	if err == nil && asJSON(w, all) != asJSON(w, listed) {
		w.Errorf("%v at once, %v page by page", all, listed)
	}
	return map[string]any{"tags": all}, err
}

func (w *world) tag(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "digest")
	return nil, w.client.Tag(context.Background(), target, version, text(step, "tag"), modes[text(step, "mode")], "")
}

func (w *world) exists(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "digest")
	found, err := w.client.Exists(context.Background(), target, version)
	return map[string]any{"exists": found}, err
}

func (w *world) delete(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	return nil, w.client.Delete(context.Background(), target, version)
}

func (w *world) reference(step map[string]any) (map[string]any, error) {
	found, err := ocichart.ParseTarget(text(step, "text"))
	if err != nil {
		return nil, err
	}
	return map[string]any{"host": found.Host, "repository": found.Repository, "selector": found.Selector}, nil
}

func (w *world) matches(step map[string]any) (map[string]any, error) {
	found, err := ocichart.Matches(text(step, "constraint"), text(step, "version"))
	return map[string]any{"matches": found}, err
}

func (w *world) show(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	pulled, err := w.client.Pull(context.Background(), target, &ocichart.PullOptions{Version: version, WithoutVerification: true})
	if err != nil {
		return nil, err
	}
	defer pulled.Close()
	chart := got[*ocichart.Chart](w)(pulled.Package.Chart(context.Background()))
	defer chart.Close()
	paths := []string{}
	for _, file := range got[[]ocichart.ChartFile](w)(chart.Files()) {
		paths = append(paths, file.Path)
		if size := int64(len(got[[]byte](w)(chart.ReadFile(file.Path)))); size != file.Bytes {
			w.Errorf("%s has %d bytes, not %d", file.Path, size, file.Bytes)
		}
	}
	shown := func(file []byte, err error) any {
		must(w, err)
		if file == nil {
			return nil
		}
		return string(file)
	}
	return map[string]any{
		"name": chart.Name(), "values": shown(chart.Values()), "readme": shown(chart.Readme()), "crds": shown(chart.CRDs()), "files": paths,
	}, nil
}

func (w *world) key(step map[string]any) (map[string]any, error) {
	key := got[*ocichart.Signer](w)(ocichart.GenerateSigner())
	w.Cleanup(func() { key.Close() })
	w.keys[text(step, "as")] = key
	return map[string]any{"algorithm": key.Algorithm()}, nil
}

func (w *world) sign(step map[string]any) (map[string]any, error) {
	formats := map[string]ocichart.SignFormat{"bundle": ocichart.SignBundle, "signature-tag": ocichart.SignTag}
	target, version := w.meant(step, "digest")
	options := ocichart.SignOptions{Formats: formats[text(step, "format")], Identity: text(step, "identity")}
	signed, err := w.client.Sign(context.Background(), target, version, w.keys[text(step, "key")[1:]], &options)
	if err != nil {
		return nil, err
	}
	var found struct {
		Subject ocichart.Descriptor
		Kept    []string
	}
	must(w, json.Unmarshal(signed, &found))
	return map[string]any{"digest": found.Subject.Digest, "kept": found.Kept}, nil
}

// trusting is a policy: this key, and nothing is asked of a log.
func trusting(t testing.TB, keys ...*ocichart.Signer) json.RawMessage {
	trusted := []map[string]string{}
	for _, key := range keys {
		trusted = append(trusted, map[string]string{"key": key.PublicKey()})
	}
	return got[[]byte](t)(json.Marshal(map[string]any{"keys": map[string]any{"keys": trusted, "tlog": "ignore-explicitly"}}))
}

func (w *world) verify(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	verified, err := w.client.Verify(context.Background(), target, version, trusting(w, w.keys[text(step, "key")[1:]]), nil)
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { verified.Close() })
	w.verified[text(step, "as")] = verified
	return map[string]any{"digest": verified.Descriptor().Digest, "outcome": w.outcome(verified.Evidence())}, nil
}

func (w *world) verifySubchart(step map[string]any) (map[string]any, error) {
	object, read := `{"spec": {"verify": {"secretRef": {"name": "mine"}}}}`, ocichart.PolicyFromFlux
	if step["policy"] == "cluster-image-policy" {
		object, read = `{"kind": "ClusterImagePolicy", "spec": {"authorities": [{"key": {"secretRef": {"name": "mine"}}, "signatureFormat": "bundle"}]}}`, ocichart.PolicyFromClusterImagePolicy
	}
	data := map[string]string{"mine.pub": w.keys[text(step, "key")[1:]].PublicKey()}
	secret := got[[]byte](w)(json.Marshal(map[string]any{"kind": "Secret", "metadata": map[string]string{"name": "mine"}, "stringData": data}))
	policy, err := read([]byte(object), secret)
	if err != nil {
		return nil, err
	}
	verified, err := w.client.VerifySubchart(context.Background(), w.charts[text(step, "chart")[1:]], w.repository, policy, nil)
	if err != nil {
		return nil, err
	}
	w.Cleanup(func() { verified.Close() })
	return map[string]any{"digest": verified.Descriptor().Digest, "outcome": w.outcome(verified.Evidence())}, nil
}

func (w *world) outcome(evidence json.RawMessage) string {
	var found struct{ Outcome string }
	must(w, json.Unmarshal(evidence, &found))
	return found.Outcome
}

func (w *world) pullVerified(step map[string]any) (map[string]any, error) {
	pulled, err := w.client.PullVerified(context.Background(), w.verified[text(step, "verified")[1:]], nil)
	if err != nil {
		return nil, err
	}
	found := w.about(pulled)
	found["outcome"] = w.outcome(pulled.Evidence)
	return found, nil
}

func (w *world) attach(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "digest")
	attachment := ocichart.Attachment{ArtifactType: text(step, "type"), Content: []byte(text(step, "text"))}
	attached, err := w.client.Attach(context.Background(), target, version, attachment)
	if err != nil {
		return nil, err
	}
	var found struct{ Descriptor ocichart.Descriptor }
	must(w, json.Unmarshal(attached, &found))
	return map[string]any{"digest": found.Descriptor.Digest}, nil
}

func (w *world) tree(step map[string]any) (map[string]any, error) {
	target, version := w.meant(step, "selector")
	tree, err := w.client.Tree(context.Background(), target, version)
	if err != nil {
		return nil, err
	}
	var found struct{ Attached []struct{ Kind string } }
	must(w, json.Unmarshal(tree, &found))
	kinds := []string{}
	for _, attached := range found.Attached {
		kinds = append(kinds, attached.Kind)
	}
	return map[string]any{"kinds": kinds}, nil
}

func (w *world) login(step map[string]any) (map[string]any, error) {
	options := ocichart.LoginOptions{Place: ocichart.FileLogins, File: w.logins}
	login, err := w.client.Login(context.Background(), w.host, text(step, "user"), text(step, "password"), &options)
	if err != nil {
		return nil, err
	}
	return map[string]any{"verified": login.Verified}, nil
}

func (w *world) logout(map[string]any) (map[string]any, error) {
	logout, err := w.client.Logout(context.Background(), w.host, &ocichart.LoginOptions{Place: ocichart.FileLogins, File: w.logins})
	if err != nil {
		return nil, err
	}
	return map[string]any{"removed": len(logout.Removed)}, nil
}

func (w *world) diagnose(map[string]any) (map[string]any, error) {
	diagnosis, err := w.client.Diagnose(context.Background(), w.repository)
	if err != nil {
		return nil, err
	}
	var told struct {
		Findings []struct{ Check, Status string }
	}
	must(w, json.Unmarshal(diagnosis, &told))
	found := map[string]any{"ok": true}
	for _, finding := range told.Findings {
		found[finding.Check] = finding.Status
		if finding.Status == "failed" {
			found["ok"] = false
		}
	}
	return found, nil
}
