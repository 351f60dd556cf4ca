/*
 * oci-chart: Helm charts as OCI artifacts. Package, push, pull and verify, byte for byte as Helm 4.2 reads and writes them.
 *
 * CONVENTIONS, which hold for every function unless its comment says otherwise
 *
 * Results. A function that can fail returns oci_chart_status: 0 is success, every other number is a failure. Numbers never change their
 * meaning and are never used again; later versions may add some, so treat a number that you do not know as a failure without a name.
 * What a function gives goes through its out-parameters. They come last, right before `err`, must not be NULL unless the comment says so,
 * and are written on success only.
 *
 * Errors. `err` may be NULL. On failure, and only then, it receives an error object that the caller frees with oci_chart_error_free().
 * There is no global and no per-thread error, so a call may be made on one thread and its error read on another.
 *
 * Arguments. NULL where an object or a text is asked for, text that is not UTF-8, a number or flag that has no meaning here: all are
 * answered with OCI_CHART_STATUS_INVALID_INPUT and never with a crash. A parameter that may be NULL is said to be so.
 *
 * Texts go in as NUL-terminated UTF-8 (paths too, on every system) and are borrowed for the call only. A `const char *` or `const uint8_t *`
 * that comes out belongs to the object it was asked of, and lives as long as that; asked for again, it is the same. A `char *` that comes
 * out of an out-parameter belongs to the caller, who frees it with oci_chart_string_free(). A NUL inside a text that comes out is replaced by
 * U+FFFD.
 *
 * Objects. Each comes from one function and is freed by the `_free` function of its type, never by free(). `_free(NULL)` does nothing.
 * An object may be freed while others that were made with it live on; none of them looks back. An object must not be freed while another
 * thread uses it; a cancel token is the exception for running calls, which keep what they need of it.
 *
 * Threads. Any object may be used by any thread, and by many at once, where it is taken as `const`. Where it is not, one thread at a time.
 *
 * Options. Structs that begin with `struct_size` are made with their _INIT macro and grow at their end. All zero behind `struct_size` is the
 * default. A library that is older than the header of its caller takes what it knows, and refuses what it does not know unless that is zero.
 *
 * Callbacks run on the thread that makes the call, while the call runs, and on no other. They get `user_data` as it was given. They must
 * return: no exception, longjmp or foreign unwinding may leave them. They may call this library.
 *
 * Cancelling. Every call that may take long takes an oci_chart_call, which may be NULL: a token that any thread may use to stop it, a time-out,
 * callbacks. A stopped call fails with OCI_CHART_STATUS_CANCELLED within about 50 ms.
 *
 * Targets. `target` says where a chart is and which one is meant: oci://HOST/REPOSITORY[:TAG][@DIGEST] in a registry,
 * oci-layout:DIRECTORY[:TAG][@DIGEST] in an OCI image layout. `version` beside it is a version, a range (^1.2) or a digest; without either it is
 * the newest release. A version's `+` is `_` in a tag. Where a target is a whole repository, it has neither tag nor digest. Stores have no
 * object of their own: what is worth keeping of one (connections, tokens, what a registry can do) is the client's, so naming it costs nothing.
 *
 * Documents are JSON, with the members that the Rust library's own documents have; unknown members are to be ignored.
 *
 * Processes. Loading the library starts no thread, installs no signal handler and touches no other state of the process. Its first call over
 * a network starts one thread; loading and packaging may use some that end with the call. A child of fork() may go on using what it
 * inherited: it makes threads and connections of its own. Never unload the library (dlclose): its thread lives in it.
 */


#ifndef OCI_CHART_H
#define OCI_CHART_H

/* Made from oci-chart-c/src by the test `header`; do not edit. BLESS=1 writes it anew. */

#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>

#ifndef OCI_CHART_API
#if defined(_WIN32) && defined(OCI_CHART_SHARED)
#define OCI_CHART_API __declspec(dllimport)
#else
#define OCI_CHART_API
#endif
#endif

#ifndef OCI_CHART_MUST_USE
#if defined(__GNUC__) || defined(__clang__)
#define OCI_CHART_MUST_USE __attribute__((warn_unused_result))
#else
#define OCI_CHART_MUST_USE
#endif
#endif


/**
 * The header's major version.
 */
#define OCI_CHART_VERSION_MAJOR 0

/**
 * The header's minor version. While the major version is 0, another one may break its callers.
 */
#define OCI_CHART_VERSION_MINOR 1

/**
 * The header's patch version.
 */
#define OCI_CHART_VERSION_PATCH 0

/**
 * The header's version as one number that grows: major * 1000000 + minor * 1000 + patch.
 */
#define OCI_CHART_VERSION_NUMBER 1000

/**
 * Follow symbolic links that lead out of the chart's directory, as Helm does. Only for directories that are known.
 */
#define OCI_CHART_LOAD_FOLLOW_OUTSIDE_SYMLINKS 1

/**
 * Refuse a package with something wrong behind its last file, where Helm never looks.
 */
#define OCI_CHART_LOAD_STRICT 2

/**
 * `time` is set.
 */
#define OCI_CHART_PACKAGE_TIME 1

/**
 * `created` is set.
 */
#define OCI_CHART_PUSH_CREATED 1

/**
 * Order the layers by digest, as Helm does; it only matters beside a provenance file.
 */
#define OCI_CHART_PUSH_HELM_LAYER_ORDER 2

/**
 * Take what the target names without asking who made it. Digests and sizes are checked all the same.
 */
#define OCI_CHART_PULL_WITHOUT_VERIFICATION 1

/**
 * Fetch the provenance file too, where there is one.
 */
#define OCI_CHART_PULL_PROVENANCE 2

/**
 * A Sigstore bundle among the referrers: what cosign 3, Flux and Artifact Hub read.
 */
#define OCI_CHART_SIGN_BUNDLE 1

/**
 * A layer behind the tag `sha256-HEX.sig`: what cosign 1 and 2, podman and older Flux read.
 */
#define OCI_CHART_SIGN_TAG 2

/**
 * `created` is set.
 */
#define OCI_CHART_SIGN_CREATED 4

/**
 * Add a signature though a good one of the same key over the same words is there.
 */
#define OCI_CHART_SIGN_ANYWAY 8

/**
 * `now` is set.
 */
#define OCI_CHART_VERIFY_NOW 1

/**
 * `created` is set.
 */
#define OCI_CHART_ATTACH_CREATED 1

/**
 * Keep the login without asking the registry whether it takes it.
 */
#define OCI_CHART_LOGIN_UNVERIFIED 1

/**
 * Keep an identity token instead of the password, where the registry's token service gives one.
 */
#define OCI_CHART_LOGIN_IDENTITY_TOKEN 2

/**
 * How a call ended. The numbers are those of the Rust library's kinds of errors.
 */
enum oci_chart_status
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * It did what it should.
     */
    OCI_CHART_STATUS_OK = 0,
    /**
     * A fault of this library; please report it.
     */
    OCI_CHART_STATUS_INTERNAL = 1,
    /**
     * An argument or option that makes no sense.
     */
    OCI_CHART_STATUS_INVALID_INPUT = 2,
    /**
     * The operating system refused a file operation.
     */
    OCI_CHART_STATUS_IO = 3,
    /**
     * The caller stopped the call: by its token, or by the answer of a callback.
     */
    OCI_CHART_STATUS_CANCELLED = 4,
    /**
     * A limit was passed; the error's context says which one.
     */
    OCI_CHART_STATUS_LIMIT_EXCEEDED = 5,
    /**
     * The other side, or this build, cannot do it.
     */
    OCI_CHART_STATUS_UNSUPPORTED = 6,
    /**
     * Not a reference, host, repository name, tag or digest.
     */
    OCI_CHART_STATUS_INVALID_REFERENCE = 10,
    /**
     * Not a version or version constraint.
     */
    OCI_CHART_STATUS_INVALID_VERSION = 11,
    /**
     * A chart that Helm would refuse.
     */
    OCI_CHART_STATUS_INVALID_CHART = 12,
    /**
     * An archive that is broken or must not be unpacked.
     */
    OCI_CHART_STATUS_INVALID_ARCHIVE = 13,
    /**
     * A manifest or index that cannot be used.
     */
    OCI_CHART_STATUS_INVALID_MANIFEST = 14,
    /**
     * The chart has findings at or above the given severity.
     */
    OCI_CHART_STATUS_LINT_FAILED = 15,
    /**
     * No such file, tag, manifest, blob or repository.
     */
    OCI_CHART_STATUS_NOT_FOUND = 20,
    /**
     * It exists and may not be replaced.
     */
    OCI_CHART_STATUS_ALREADY_EXISTS = 21,
    /**
     * Somebody else changed it in between, or a condition does not hold.
     */
    OCI_CHART_STATUS_CONFLICT = 22,
    /**
     * No credentials, or credentials that were refused.
     */
    OCI_CHART_STATUS_UNAUTHENTICATED = 23,
    /**
     * Known, but not allowed.
     */
    OCI_CHART_STATUS_PERMISSION_DENIED = 24,
    /**
     * Too many requests.
     */
    OCI_CHART_STATUS_RATE_LIMITED = 25,
    /**
     * No connection, or one that broke.
     */
    OCI_CHART_STATUS_NETWORK = 26,
    /**
     * No answer in time.
     */
    OCI_CHART_STATUS_TIMEOUT = 27,
    /**
     * The other side breaks the protocol.
     */
    OCI_CHART_STATUS_PROTOCOL = 28,
    /**
     * The other side fails or is being worked on.
     */
    OCI_CHART_STATUS_UNAVAILABLE = 29,
    /**
     * Bytes that do not have the digest or the size they should have.
     */
    OCI_CHART_STATUS_DIGEST_MISMATCH = 30,
    /**
     * A signature that does not fit.
     */
    OCI_CHART_STATUS_SIGNATURE_INVALID = 31,
    /**
     * The caller's policy says no.
     */
    OCI_CHART_STATUS_POLICY_DENIED = 32,
    /**
     * The registry's storage quota is used up.
     */
    OCI_CHART_STATUS_QUOTA_EXCEEDED = 33,
    /**
     * No secure connection: certificate, name or protocol version.
     */
    OCI_CHART_STATUS_TLS = 34,
    /**
     * No signature where one is asked for.
     */
    OCI_CHART_STATUS_NOT_SIGNED = 35,
    /**
     * Neither right nor wrong: what the check needs could not be had.
     */
    OCI_CHART_STATUS_COULD_NOT_CHECK = 36,
    /**
     * The registry holds this tag as immutable.
     */
    OCI_CHART_STATUS_IMMUTABLE_TAG = 37,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum oci_chart_status oci_chart_status;
#else
typedef int32_t oci_chart_status;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What may happen to a tag that exists.
 */
enum oci_chart_tag_mode
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * The tag must be new.
     */
    OCI_CHART_TAG_MODE_CREATE = 0,
    /**
     * The tag must be new, or point at the same content already, which is fine.
     */
    OCI_CHART_TAG_MODE_ENSURE = 1,
    /**
     * The tag is moved, wherever it points.
     */
    OCI_CHART_TAG_MODE_REPLACE = 2,
    /**
     * The tag must point at the digest that is expected.
     */
    OCI_CHART_TAG_MODE_EXPECT = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum oci_chart_tag_mode oci_chart_tag_mode;
#else
typedef int32_t oci_chart_tag_mode;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * What an event tells.
 */
enum oci_chart_event_kind
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Nothing happened for a while; the caller gets its turn.
     */
    OCI_CHART_EVENT_KIND_TICK = 0,
    /**
     * A transfer began: `id`, `direction`, `digest`, `media_type`, `total`.
     */
    OCI_CHART_EVENT_KIND_STARTED = 1,
    /**
     * A transfer has come so far: `id`, `bytes`. Only the newest is kept for a slow listener.
     */
    OCI_CHART_EVENT_KIND_PROGRESS = 2,
    /**
     * A transfer is done: `id`.
     */
    OCI_CHART_EVENT_KIND_FINISHED = 3,
    /**
     * Nothing had to be moved, the other side has it: as OCI_CHART_EVENT_KIND_STARTED.
     */
    OCI_CHART_EVENT_KIND_SKIPPED = 4,
    /**
     * Something that works, but should be known: `text`.
     */
    OCI_CHART_EVENT_KIND_WARNING = 5,
    /**
     * A request goes out again, or the host's pace is kept: `text` (what waits), `why`, `attempt`, `wait_ms`.
     */
    OCI_CHART_EVENT_KIND_WAITING = 6,
    /**
     * Something that this version has no number for yet: `text`.
     */
    OCI_CHART_EVENT_KIND_OTHER = 7,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum oci_chart_event_kind oci_chart_event_kind;
#else
typedef int32_t oci_chart_event_kind;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which way bytes go.
 */
enum oci_chart_direction
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * No way: the event is of no transfer.
     */
    OCI_CHART_DIRECTION_NONE = 0,
    /**
     * Towards the store.
     */
    OCI_CHART_DIRECTION_PUSH = 1,
    /**
     * Out of the store.
     */
    OCI_CHART_DIRECTION_PULL = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum oci_chart_direction oci_chart_direction;
#else
typedef int32_t oci_chart_direction;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Which file a login is kept in; where that file names a credential helper, the helper keeps it.
 */
enum oci_chart_login_place
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Helm's `registry/config.json`, as `helm registry login` does.
     */
    OCI_CHART_LOGIN_PLACE_HELM = 0,
    /**
     * Docker's `config.json`, as docker, crane, regctl and oras do.
     */
    OCI_CHART_LOGIN_PLACE_DOCKER = 1,
    /**
     * Podman's `auth.json`, as podman, buildah and skopeo do.
     */
    OCI_CHART_LOGIN_PLACE_PODMAN = 2,
    /**
     * The `file` of the options, of docker's form.
     */
    OCI_CHART_LOGIN_PLACE_FILE = 3,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum oci_chart_login_place oci_chart_login_place;
#else
typedef int32_t oci_chart_login_place;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * How the keys of a pull secret are held against a repository.
 */
enum oci_chart_key_rule
#if defined(__cplusplus) || __STDC_VERSION__ >= 202311L
  : int32_t
#endif // defined(__cplusplus) || __STDC_VERSION__ >= 202311L
 {
    /**
     * Docker's, which Helm and Flux's HelmRepository share: a key means its host, whatever path follows.
     */
    OCI_CHART_KEY_RULE_DOCKER = 0,
    /**
     * Podman's: a key with a path means the repositories below it and no others.
     */
    OCI_CHART_KEY_RULE_PODMAN = 1,
    /**
     * The kubelet's, which Flux's OCIRepository shares: stars within the parts of the host, equal ports, the path as a plain prefix.
     */
    OCI_CHART_KEY_RULE_KUBELET = 2,
};
#ifndef __cplusplus
#if __STDC_VERSION__ >= 202311L
typedef enum oci_chart_key_rule oci_chart_key_rule;
#else
typedef int32_t oci_chart_key_rule;
#endif // __STDC_VERSION__ >= 202311L
#endif // __cplusplus

/**
 * Takes what a callback has to say. Made by the library, valid until the callback returns. What is said last counts.
 */
typedef struct oci_chart_answer oci_chart_answer;

/**
 * Bytes that a function of this library gave: a file, a document, a signature. Freed with oci_chart_bytes_free(). Any number of threads may
 * read it at once.
 */
typedef struct oci_chart_bytes oci_chart_bytes;

/**
 * Stops calls from any thread. One token may serve many calls, at once and one after another. It may be freed while calls that were given it
 * still run; then nobody can stop them by it any more.
 */
typedef struct oci_chart_cancel_token oci_chart_cancel_token;

/**
 * A chart as Helm loads it. Immutable: any number of threads may use it at once. Freed with oci_chart_chart_free().
 */
typedef struct oci_chart_chart oci_chart_chart;

/**
 * Registries and image layouts, and what is done with them. Owns connections, tokens and one thread, so make one and keep it. Any number of
 * threads may use it at once. Freed with oci_chart_client_free().
 */
typedef struct oci_chart_client oci_chart_client;

/**
 * How a client is made: set what is to be other than the default, give it to oci_chart_client_new(), and free it with
 * oci_chart_client_options_free(). Set by one thread at a time.
 */
typedef struct oci_chart_client_options oci_chart_client_options;

/**
 * What went wrong, where, and what to do about it. Freed with oci_chart_error_free(). Any number of threads may read it at once. Its texts
 * have no passwords, tokens or keys in them.
 */
typedef struct oci_chart_error oci_chart_error;

/**
 * A list that is taken page by page: a page is asked for when it is wanted. One thread at a time. Freed with oci_chart_list_free().
 */
typedef struct oci_chart_list oci_chart_list;

/**
 * A packaged chart: its bytes, wherever they lie, and their digest. Immutable: any number of threads may use it at once. Freed with
 * oci_chart_package_free().
 */
typedef struct oci_chart_package oci_chart_package;

/**
 * What a chart is published with: signatures, attestations, attachments. Filled by one thread at a time; then any number may publish with
 * it at once, which changes nothing in it. Freed with oci_chart_publication_free().
 */
typedef struct oci_chart_publication oci_chart_publication;

/**
 * Logins as Kubernetes keeps them for registries. Read by any number of threads at once, changed by one. Freed with
 * oci_chart_pull_secret_free(), which wipes it.
 */
typedef struct oci_chart_pull_secret oci_chart_pull_secret;

/**
 * A chart that was taken out of a store. Immutable: any number of threads may use it at once. Freed with oci_chart_pulled_free().
 */
typedef struct oci_chart_pulled oci_chart_pulled;

/**
 * Content that is read in pieces, and whose digest is checked at its end: whoever reads until 0 bytes come has the right ones. One thread
 * at a time. Freed with oci_chart_reader_free(), at any time.
 */
typedef struct oci_chart_reader oci_chart_reader;

/**
 * Something that can sign. Immutable: any number of threads may use it at once. Freed with oci_chart_signer_free(), which wipes its key.
 */
typedef struct oci_chart_signer oci_chart_signer;

/**
 * A chart that satisfied a policy, and why: the proof without which oci_chart_client_pull_verified() gives nothing. Only a check makes one.
 * Immutable: any number of threads may use it at once. Freed with oci_chart_verified_free().
 */
typedef struct oci_chart_verified oci_chart_verified;

/**
 * How a chart or package is loaded. Make it with OCI_CHART_LOAD_OPTIONS_INIT.
 */
typedef struct oci_chart_load_options {
    /**
     * sizeof(oci_chart_load_options), set by OCI_CHART_LOAD_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * OCI_CHART_LOAD_... flags, or 0.
     */
    uint32_t flags;
    /**
     * The largest file in bytes; 0 for Helm's 5 MiB.
     */
    uint64_t max_file_bytes;
    /**
     * The largest chart in bytes, unpacked; 0 for Helm's 100 MiB.
     */
    uint64_t max_total_bytes;
} oci_chart_load_options;

/**
 * An oci_chart_load_options with every default.
 */
#define OCI_CHART_LOAD_OPTIONS_INIT { sizeof(oci_chart_load_options), 0, 0, 0 }

/**
 * Something that happened in a call. The library makes it; fields that do not belong to its kind are 0 or NULL. Later versions add fields at
 * the end, so look at `struct_size` before you read one that is newer than your oldest library.
 */
typedef struct oci_chart_event {
    /**
     * How large the library's struct is.
     */
    size_t struct_size;
    /**
     * An oci_chart_event_kind; a number that you do not know is to be ignored.
     */
    int32_t kind;
    /**
     * An oci_chart_direction.
     */
    int32_t direction;
    /**
     * The transfer, unique in this process.
     */
    uint64_t id;
    /**
     * Bytes moved so far.
     */
    uint64_t bytes;
    /**
     * Bytes that the whole transfer has.
     */
    uint64_t total;
    /**
     * The digest of what is moved.
     */
    const char *digest;
    /**
     * The media type of what is moved.
     */
    const char *media_type;
    /**
     * What is to be known, or what waits.
     */
    const char *text;
    /**
     * Why it waits.
     */
    const char *why;
    /**
     * For how many milliseconds it waits.
     */
    uint64_t wait_ms;
    /**
     * How often it was tried by now.
     */
    uint32_t attempt;
} oci_chart_event;

/**
 * Hears what a call does, and at the latest every 50 ms that it still lives (OCI_CHART_EVENT_KIND_TICK). Return 0 to go on; anything else
 * stops the call. `event` and what it points to live until the callback returns.
 */
typedef int32_t (*oci_chart_event_callback)(void *user_data, const struct oci_chart_event *event);

/**
 * Is asked for the login at `host` (as `registry.example:5000`), if the client was told so with
 * oci_chart_client_options_use_call_credentials(). Give it with oci_chart_answer_set_login() or oci_chart_answer_set_token(); nothing
 * means anonymous. Return 0; anything else stops the call. Asked once a call and host, and again if the registry refuses what it was
 * given.
 */
typedef int32_t (*oci_chart_credentials_callback)(void *user_data, const char *host, struct oci_chart_answer *answer);

/**
 * Is asked for the signature over `message` by the private half of `key` (PEM), by a signer made with oci_chart_signer_new_callback().
 * Give it with oci_chart_answer_set_bytes(), encoded as cosign has it: ASN.1 for ECDSA, the bytes for RSA (PKCS #1 v1.5) and Ed25519.
 * Return 0; anything else stops the call.
 */
typedef int32_t (*oci_chart_sign_callback)(void *user_data,
                                           const char *key,
                                           const uint8_t *message,
                                           size_t message_len,
                                           struct oci_chart_answer *answer);

/**
 * A request that is done. The library makes it; later versions add fields at the end, as they do to oci_chart_event. Nothing in it is secret.
 */
typedef struct oci_chart_request {
    /**
     * How large the library's struct is.
     */
    size_t struct_size;
    /**
     * `GET`, `HEAD`, ...
     */
    const char *method;
    /**
     * Where it went.
     */
    const char *url;
    /**
     * What happened instead of an answer; NULL where there is one.
     */
    const char *error;
    /**
     * How many milliseconds it took until the answer began, its wait for its turn included.
     */
    uint64_t time_ms;
    /**
     * The status of the answer; 0 where there is none.
     */
    int32_t status;
    /**
     * Which try it was, counted from 1.
     */
    uint32_t attempt;
} oci_chart_request;

/**
 * An oci_chart_request with every default.
 */
#define OCI_CHART_REQUEST_INIT { sizeof(oci_chart_request), 0, 0, 0, 0, 0, 0 }

/**
 * Hears of every request of a call, each try and each redirect for itself, when it is done: for people who look for a fault. Return 0 to go
 * on; anything else stops the call, at the latest after 50 ms. `request` and what it points to live until the callback returns. Whoever is
 * slow misses some.
 */
typedef int32_t (*oci_chart_request_callback)(void *user_data, const struct oci_chart_request *request);

/**
 * What a call is given beside its work. Make it with OCI_CHART_CALL_INIT; it and what it points to is read while the call runs and not kept.
 */
typedef struct oci_chart_call {
    /**
     * sizeof(oci_chart_call), set by OCI_CHART_CALL_INIT.
     */
    size_t struct_size;
    /**
     * Stops the call when it is used; NULL for none.
     */
    const struct oci_chart_cancel_token *cancel;
    /**
     * How long the call may take, in milliseconds; 0 for as long as it takes. It fails with OCI_CHART_STATUS_TIMEOUT then.
     */
    uint64_t timeout_ms;
    /**
     * Given to the callbacks as it is.
     */
    void *user_data;
    /**
     * Hears what the call does; NULL for nobody.
     */
    oci_chart_event_callback on_event;
    /**
     * Asked for logins; NULL for anonymous.
     */
    oci_chart_credentials_callback on_credentials;
    /**
     * Asked for signatures; NULL for none.
     */
    oci_chart_sign_callback on_sign;
    /**
     * Hears of requests; NULL for nobody.
     */
    oci_chart_request_callback on_request;
} oci_chart_call;

/**
 * An oci_chart_call with every default.
 */
#define OCI_CHART_CALL_INIT { sizeof(oci_chart_call), 0, 0, 0, 0, 0, 0, 0 }

/**
 * How a chart is packaged. Make it with OCI_CHART_PACKAGE_OPTIONS_INIT.
 */
typedef struct oci_chart_package_options {
    /**
     * sizeof(oci_chart_package_options), set by OCI_CHART_PACKAGE_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * Another version than Chart.yaml has, in the package only; NULL for that of Chart.yaml.
     */
    const char *version;
    /**
     * Another `appVersion`; NULL for that of Chart.yaml.
     */
    const char *app_version;
    /**
     * The time of every entry, in seconds since 1970; read only with OCI_CHART_PACKAGE_TIME. Without it `SOURCE_DATE_EPOCH` says it, else
     * a constant.
     */
    uint64_t time;
    /**
     * OCI_CHART_PACKAGE_... flags, or 0.
     */
    uint32_t flags;
    /**
     * How many threads compress at most; 0 for two. The bytes do not depend on it.
     */
    uint32_t threads;
} oci_chart_package_options;

/**
 * An oci_chart_package_options with every default.
 */
#define OCI_CHART_PACKAGE_OPTIONS_INIT { sizeof(oci_chart_package_options), 0, 0, 0, 0, 0 }

/**
 * How a package is pushed. Make it with OCI_CHART_PUSH_OPTIONS_INIT.
 */
typedef struct oci_chart_push_options {
    /**
     * sizeof(oci_chart_push_options), set by OCI_CHART_PUSH_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * An oci_chart_tag_mode: what may happen if the version exists.
     */
    int32_t mode;
    /**
     * OCI_CHART_PUSH_... flags, or 0.
     */
    uint32_t flags;
    /**
     * The digest that the tag must have now, for OCI_CHART_TAG_MODE_EXPECT; else NULL.
     */
    const char *expected_digest;
    /**
     * The annotation `org.opencontainers.image.created`, in seconds since 1970; read only with OCI_CHART_PUSH_CREATED. Without it
     * `SOURCE_DATE_EPOCH` says it, else there is none.
     */
    uint64_t created;
    /**
     * More tags for the same manifest, moved wherever they point, separated by commas; NULL for none.
     */
    const char *channels;
} oci_chart_push_options;

/**
 * An oci_chart_push_options with every default.
 */
#define OCI_CHART_PUSH_OPTIONS_INIT { sizeof(oci_chart_push_options), 0, 0, 0, 0, 0 }

/**
 * How a chart is pulled. Make it with OCI_CHART_PULL_OPTIONS_INIT, and say which trust is asked for: `policy` or
 * OCI_CHART_PULL_WITHOUT_VERIFICATION.
 */
typedef struct oci_chart_pull_options {
    /**
     * sizeof(oci_chart_pull_options), set by OCI_CHART_PULL_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * A policy as JSON, which the chart's signatures must satisfy; NULL for none.
     */
    const char *policy;
    /**
     * OCI_CHART_PULL_... flags.
     */
    uint32_t flags;
    /**
     * The largest package in bytes; 0 for 1 GiB.
     */
    uint64_t max_package_bytes;
} oci_chart_pull_options;

/**
 * An oci_chart_pull_options with every default.
 */
#define OCI_CHART_PULL_OPTIONS_INIT { sizeof(oci_chart_pull_options), 0, 0, 0 }

/**
 * Fills `buffer` with at most `buffer_len` bytes and sets `*read` to their number, 0 at the end. Return 0; anything else stops the call.
 */
typedef int32_t (*oci_chart_read_callback)(void *user_data, uint8_t *buffer, size_t buffer_len, size_t *read);

/**
 * How a chart is signed. Make it with OCI_CHART_SIGN_OPTIONS_INIT.
 */
typedef struct oci_chart_sign_options {
    /**
     * sizeof(oci_chart_sign_options), set by OCI_CHART_SIGN_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * What is signed beside the digest, as a JSON object of texts; NULL for nothing.
     */
    const char *annotations;
    /**
     * The repository that the payload of OCI_CHART_SIGN_TAG names, as `host/path`; NULL for the chart's own.
     */
    const char *identity;
    /**
     * The target where the signatures go; NULL for beside the chart.
     */
    const char *signatures;
    /**
     * The bundle's annotation `org.opencontainers.image.created`, in seconds since 1970; read only with OCI_CHART_SIGN_CREATED.
     */
    uint64_t created;
    /**
     * OCI_CHART_SIGN_... flags; with neither BUNDLE nor TAG it is a bundle.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} oci_chart_sign_options;

/**
 * An oci_chart_sign_options with every default.
 */
#define OCI_CHART_SIGN_OPTIONS_INIT { sizeof(oci_chart_sign_options), 0, 0, 0, 0, 0, 0 }

/**
 * How signatures are looked for. Make it with OCI_CHART_VERIFY_OPTIONS_INIT.
 */
typedef struct oci_chart_verify_options {
    /**
     * sizeof(oci_chart_verify_options), set by OCI_CHART_VERIFY_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * The target where the signatures lie; NULL for beside the chart.
     */
    const char *signatures;
    /**
     * The time of the check, in seconds since 1970; read only with OCI_CHART_VERIFY_NOW.
     */
    uint64_t now;
    /**
     * OCI_CHART_VERIFY_... flags, or 0.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} oci_chart_verify_options;

/**
 * An oci_chart_verify_options with every default.
 */
#define OCI_CHART_VERIFY_OPTIONS_INIT { sizeof(oci_chart_verify_options), 0, 0, 0, 0 }

/**
 * How something is attached. Make it with OCI_CHART_ATTACH_OPTIONS_INIT.
 */
typedef struct oci_chart_attach_options {
    /**
     * sizeof(oci_chart_attach_options), set by OCI_CHART_ATTACH_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * A file name, under which `oras pull` stores it; NULL for none.
     */
    const char *title;
    /**
     * The type of the layer, if it is another than that of the artifact; NULL for the same.
     */
    const char *layer_type;
    /**
     * Annotations of its manifest, as a JSON object of texts; NULL for none.
     */
    const char *annotations;
    /**
     * The annotation `org.opencontainers.image.created`, in seconds since 1970; read only with OCI_CHART_ATTACH_CREATED.
     */
    uint64_t created;
    /**
     * OCI_CHART_ATTACH_... flags, or 0.
     */
    uint32_t flags;
    /**
     * Must be 0.
     */
    uint32_t reserved;
} oci_chart_attach_options;

/**
 * An oci_chart_attach_options with every default.
 */
#define OCI_CHART_ATTACH_OPTIONS_INIT { sizeof(oci_chart_attach_options), 0, 0, 0, 0, 0, 0 }

/**
 * How a login is made. Make it with OCI_CHART_LOGIN_OPTIONS_INIT.
 */
typedef struct oci_chart_login_options {
    /**
     * sizeof(oci_chart_login_options), set by OCI_CHART_LOGIN_OPTIONS_INIT.
     */
    size_t struct_size;
    /**
     * An oci_chart_login_place.
     */
    int32_t place;
    /**
     * OCI_CHART_LOGIN_... flags, or 0.
     */
    uint32_t flags;
    /**
     * The path for OCI_CHART_LOGIN_PLACE_FILE; else NULL.
     */
    const char *file;
} oci_chart_login_options;

/**
 * An oci_chart_login_options with every default.
 */
#define OCI_CHART_LOGIN_OPTIONS_INIT { sizeof(oci_chart_login_options), 0, 0, 0 }

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * The name of a status: `ok`, `not-found`, ... and `unknown` for a number that this version does not know. Never NULL; lives for ever.
 */
OCI_CHART_API
const char *oci_chart_status_string(int32_t status);

/**
 * The status of the call that failed; OCI_CHART_STATUS_OK for NULL.
 */
OCI_CHART_API oci_chart_status oci_chart_error_get_status(const struct oci_chart_error *error);

/**
 * What failed: one line with the operation and the context. Belongs to the error; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_error_get_message(const struct oci_chart_error *error);

/**
 * The cause below the status, as a stable word: `tag-exists`, `plain-http-on-https`, ... Belongs to the error; NULL where there is none.
 */
OCI_CHART_API
const char *oci_chart_error_get_reason(const struct oci_chart_error *error);

/**
 * The verb that failed: `push`, `load`, ... Belongs to the error; NULL where none is known.
 */
OCI_CHART_API const char *oci_chart_error_get_operation(const struct oci_chart_error *error);

/**
 * What a person can do about it. Belongs to the error; NULL where nobody knows.
 */
OCI_CHART_API const char *oci_chart_error_get_hint(const struct oci_chart_error *error);

/**
 * Where it failed, as a JSON object of texts in the order in which they were learnt: `{"repository": "...", "tag": "..."}`. Belongs to the
 * error; NULL only for NULL.
 */
OCI_CHART_API
const char *oci_chart_error_get_context_json(const struct oci_chart_error *error);

/**
 * 1 if the same call may succeed later without any change, else 0; 0 for NULL.
 */
OCI_CHART_API int32_t oci_chart_error_is_retryable(const struct oci_chart_error *error);

/**
 * For how many milliseconds the other side asked to be left alone; 0 where it did not, and for NULL.
 */
OCI_CHART_API uint64_t oci_chart_error_get_retry_after_ms(const struct oci_chart_error *error);

/**
 * The status of the HTTP answer that said no, 401 for example; 0 where it was no answer, and for NULL.
 */
OCI_CHART_API int32_t oci_chart_error_get_http_status(const struct oci_chart_error *error);

/**
 * The operating system's number (errno) of what failed in it; 0 where nothing did, and for NULL.
 */
OCI_CHART_API int32_t oci_chart_error_get_os_error(const struct oci_chart_error *error);

/**
 * Everything about the error as one JSON object with the members `kind`, `code`, `message`, `reason`, `operation`, `context`, `hint`,
 * `retryable`, `retryAfterMs` and `causes`; what is not known is missing. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_error_to_json(const struct oci_chart_error *error,
                                         char **out,
                                         struct oci_chart_error **err);

/**
 * What was looked at before a signature or policy was found wanting, as JSON: the same document that a successful check gives. Belongs to
 * the error; NULL for an error that is no answer of a check.
 */
OCI_CHART_API
const char *oci_chart_error_get_evidence(const struct oci_chart_error *error);

/**
 * Frees the error. NULL is fine.
 */
OCI_CHART_API void oci_chart_error_free(struct oci_chart_error *error);

/**
 * Frees a text that a function of this library gave through an out-parameter, and wipes it. NULL is fine.
 */
OCI_CHART_API void oci_chart_string_free(char *text);

/**
 * The first of the bytes; they live as long as the object. NULL for NULL; where there are no bytes, not to be read from.
 */
OCI_CHART_API
const uint8_t *oci_chart_bytes_get_data(const struct oci_chart_bytes *bytes);

/**
 * How many bytes; 0 for NULL.
 */
OCI_CHART_API size_t oci_chart_bytes_get_size(const struct oci_chart_bytes *bytes);

/**
 * Frees the bytes. NULL is fine.
 */
OCI_CHART_API void oci_chart_bytes_free(struct oci_chart_bytes *bytes);

/**
 * The library's version as text, `0.1.0`. Never NULL; lives for ever.
 */
OCI_CHART_API const char *oci_chart_version(void);

/**
 * The library's version as a number, made like OCI_CHART_VERSION_NUMBER.
 */
OCI_CHART_API uint32_t oci_chart_version_number(void);

/**
 * A token that nobody has used. Free it with oci_chart_cancel_token_free().
 */
OCI_CHART_API OCI_CHART_MUST_USE struct oci_chart_cancel_token *oci_chart_cancel_token_new(void);

/**
 * Stops every call that was or will be given this token: for good. Returns at once; the calls end within about 50 ms with
 * OCI_CHART_STATUS_CANCELLED. Twice is once. Not for signal handlers, which may only set a flag that a callback looks at.
 */
OCI_CHART_API
oci_chart_status oci_chart_cancel_token_cancel(const struct oci_chart_cancel_token *token,
                                               struct oci_chart_error **err);

/**
 * 1 if the token was used, 0 if not; 0 for NULL.
 */
OCI_CHART_API int32_t oci_chart_cancel_token_is_cancelled(const struct oci_chart_cancel_token *token);

/**
 * Frees the token. NULL is fine, and so are calls that still run with it.
 */
OCI_CHART_API void oci_chart_cancel_token_free(struct oci_chart_cancel_token *token);

/**
 * Answers with a user and a password, which are copied.
 */
OCI_CHART_API
oci_chart_status oci_chart_answer_set_login(struct oci_chart_answer *answer,
                                            const char *user,
                                            const char *password,
                                            struct oci_chart_error **err);

/**
 * Answers with a token that the registry itself takes (`Authorization: Bearer`), which is copied.
 */
OCI_CHART_API
oci_chart_status oci_chart_answer_set_token(struct oci_chart_answer *answer,
                                            const char *token,
                                            struct oci_chart_error **err);

/**
 * Answers with bytes, a signature for example, which are copied.
 */
OCI_CHART_API
oci_chart_status oci_chart_answer_set_bytes(struct oci_chart_answer *answer,
                                            const uint8_t *data,
                                            size_t data_len,
                                            struct oci_chart_error **err);

/**
 * Stops the call: it fails with OCI_CHART_STATUS_CANCELLED and this message, whatever the callback returns.
 */
OCI_CHART_API
oci_chart_status oci_chart_answer_set_failure(struct oci_chart_answer *answer,
                                              const char *message,
                                              struct oci_chart_error **err);

/**
 * Loads the chart at `path`: a directory with a Chart.yaml, or a package (`.tgz`). `options` and `call` may be NULL. Free the chart with oci_chart_chart_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_load(const char *path,
                                      const struct oci_chart_load_options *options,
                                      const struct oci_chart_call *call,
                                      struct oci_chart_chart **out,
                                      struct oci_chart_error **err);

/**
 * Loads the chart whose package (`.tgz`) is in memory. The bytes are read and not kept. `options` and `call` may be NULL. Free the chart with
 * oci_chart_chart_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_load_bytes(const uint8_t *data,
                                            size_t data_len,
                                            const struct oci_chart_load_options *options,
                                            const struct oci_chart_call *call,
                                            struct oci_chart_chart **out,
                                            struct oci_chart_error **err);

/**
 * The chart's name. Belongs to the chart; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_chart_get_name(const struct oci_chart_chart *chart);

/**
 * The chart's version. Belongs to the chart; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_chart_get_version(const struct oci_chart_chart *chart);

/**
 * What Chart.yaml says, as the JSON that Helm stores beside a chart. Belongs to the chart; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_chart_get_metadata(const struct oci_chart_chart *chart);

/**
 * What Chart.yaml says, as `helm show chart` prints it. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_metadata_yaml(const struct oci_chart_chart *chart,
                                                   char **out,
                                                   struct oci_chart_error **err);

/**
 * The charts inside the chart, as a JSON list of `{"name", "version"}`, sorted by name. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_dependencies(const struct oci_chart_chart *chart,
                                                  char **out,
                                                  struct oci_chart_error **err);

/**
 * Packs the chart: the same bytes for the same chart and options, on every machine. `options` and `call` may be NULL. Free the
 * package with oci_chart_package_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_package(const struct oci_chart_chart *chart,
                                         const struct oci_chart_package_options *options,
                                         const struct oci_chart_call *call,
                                         struct oci_chart_package **out,
                                         struct oci_chart_error **err);

/**
 * Frees the chart. NULL is fine.
 */
OCI_CHART_API void oci_chart_chart_free(struct oci_chart_chart *chart);

/**
 * The chart's own files but Chart.yaml and Chart.lock, as a JSON list of `{"path", "bytes"}`: values, schema, templates, then everything else, in
 * load order. Those of the charts inside it are not among them. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_files(const struct oci_chart_chart *chart,
                                           char **out,
                                           struct oci_chart_error **err);

/**
 * One of the files that oci_chart_chart_get_files() lists, byte for byte. Free it with oci_chart_bytes_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_read_file(const struct oci_chart_chart *chart,
                                           const char *path,
                                           struct oci_chart_bytes **out,
                                           struct oci_chart_error **err);

/**
 * values.yaml, byte for byte. Free it with oci_chart_bytes_free(); it is set to NULL where the chart has none.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_values(const struct oci_chart_chart *chart,
                                            struct oci_chart_bytes **out,
                                            struct oci_chart_error **err);

/**
 * values.schema.json, byte for byte. Free it with oci_chart_bytes_free(); it is set to NULL where the chart has none.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_schema(const struct oci_chart_chart *chart,
                                            struct oci_chart_bytes **out,
                                            struct oci_chart_error **err);

/**
 * The readme, byte for byte. Free it with oci_chart_bytes_free(); it is set to NULL where the chart has none.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_readme(const struct oci_chart_chart *chart,
                                            struct oci_chart_bytes **out,
                                            struct oci_chart_error **err);

/**
 * All custom resource definitions, those of dependencies included, as one YAML stream. Free it with oci_chart_bytes_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_chart_get_crds(const struct oci_chart_chart *chart,
                                          struct oci_chart_bytes **out,
                                          struct oci_chart_error **err);

/**
 * The package in the file at `path`, and the provenance file beside it (`.prov`) where there is one. The file is read again when it is pushed.
 * `options` and `call` may be NULL. Free the package with oci_chart_package_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_load(const char *path,
                                        const struct oci_chart_load_options *options,
                                        const struct oci_chart_call *call,
                                        struct oci_chart_package **out,
                                        struct oci_chart_error **err);

/**
 * The package whose bytes these are; they are copied. `options` and `call` may be NULL. Free the package with oci_chart_package_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_load_bytes(const uint8_t *data,
                                              size_t data_len,
                                              const struct oci_chart_load_options *options,
                                              const struct oci_chart_call *call,
                                              struct oci_chart_package **out,
                                              struct oci_chart_error **err);

/**
 * The digest of the package's bytes, `sha256:...`. Belongs to the package; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_package_get_digest(const struct oci_chart_package *package);

/**
 * How many bytes the package has; 0 for NULL.
 */
OCI_CHART_API uint64_t oci_chart_package_get_size(const struct oci_chart_package *package);

/**
 * The package's name as Helm has it, `NAME-VERSION.tgz`. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_get_file_name(const struct oci_chart_package *package,
                                                 char **out,
                                                 struct oci_chart_error **err);

/**
 * What the Chart.yaml in the package says, as JSON. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_get_metadata(const struct oci_chart_package *package,
                                                char **out,
                                                struct oci_chart_error **err);

/**
 * The provenance file of the package. Free it with oci_chart_bytes_free(); it is set to NULL where there is none.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_get_provenance(const struct oci_chart_package *package,
                                                  struct oci_chart_bytes **out,
                                                  struct oci_chart_error **err);

/**
 * The same package with a provenance file, whose bytes are copied. Free it with oci_chart_package_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_with_provenance(const struct oci_chart_package *package,
                                                   const uint8_t *data,
                                                   size_t data_len,
                                                   struct oci_chart_package **out,
                                                   struct oci_chart_error **err);

/**
 * The chart in the package, which is loaded each time. `call` may be NULL. Free the chart with oci_chart_chart_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_get_chart(const struct oci_chart_package *package,
                                             const struct oci_chart_call *call,
                                             struct oci_chart_chart **out,
                                             struct oci_chart_error **err);

/**
 * Writes the package into `directory`, which is made if it is not there, under Helm's name for it, and its provenance file beside it.
 * Files appear whole or not at all and replace what was there; where the call is stopped, none does. `call` may be NULL. `out` may be NULL;
 * else it receives the path, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_write(const struct oci_chart_package *package,
                                         const char *directory,
                                         const struct oci_chart_call *call,
                                         char **out,
                                         struct oci_chart_error **err);

/**
 * Unpacks the chart into a new directory of its own name below `directory`: whole, or not at all. `call` may be NULL. `out` may be
 * NULL; else it receives the path of the new directory, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_unpack(const struct oci_chart_package *package,
                                          const char *directory,
                                          const struct oci_chart_call *call,
                                          char **out,
                                          struct oci_chart_error **err);

/**
 * Frees the package. NULL is fine.
 */
OCI_CHART_API void oci_chart_package_free(struct oci_chart_package *package);

/**
 * Options with every default. Free them with oci_chart_client_options_free().
 */
OCI_CHART_API OCI_CHART_MUST_USE struct oci_chart_client_options *oci_chart_client_options_new(void);

/**
 * Frees the options. NULL is fine, and so are clients that were made with them.
 */
OCI_CHART_API void oci_chart_client_options_free(struct oci_chart_client_options *options);

/**
 * The login at `host`. Wins over every source that is used.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_login(struct oci_chart_client_options *options,
                                                    const char *host,
                                                    const char *user,
                                                    const char *password,
                                                    struct oci_chart_error **err);

/**
 * The token that the registry at `host` itself takes (`Authorization: Bearer`). Wins over every source that is used.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_token(struct oci_chart_client_options *options,
                                                    const char *host,
                                                    const char *token,
                                                    struct oci_chart_error **err);

/**
 * The identity token (OAuth2 refresh token) that the token service of `host` takes. Wins over every source that is used.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_identity_token(struct oci_chart_client_options *options,
                                                             const char *host,
                                                             const char *token,
                                                             struct oci_chart_error **err);

/**
 * Takes credentials from where Helm, docker and podman keep theirs, where no source before has any.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_use_stored_logins(struct oci_chart_client_options *options,
                                                            struct oci_chart_error **err);

/**
 * Asks the `on_credentials` of each call, where no source before has any.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_use_call_credentials(struct oci_chart_client_options *options,
                                                               struct oci_chart_error **err);

/**
 * Takes the logins of Amazon ECR, Google's registries and Azure's from the environment of this machine (keys, roles, metadata services),
 * where no source before has any.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_use_cloud_logins(struct oci_chart_client_options *options,
                                                           struct oci_chart_error **err);

/**
 * Takes credentials from a pull secret under `rule` (an oci_chart_key_rule), where no source before has any. The secret is copied.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_use_pull_secret(struct oci_chart_client_options *options,
                                                          const struct oci_chart_pull_secret *secret,
                                                          int32_t rule,
                                                          struct oci_chart_error **err);

/**
 * Says who calls: goes behind `oci-chart/VERSION` in the header `User-Agent`.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_user_agent(struct oci_chart_client_options *options,
                                                         const char *suffix,
                                                         struct oci_chart_error **err);

/**
 * Bounds what is read: `name` is one of `file_bytes`, `total_bytes`, `package_bytes`, `entries`, `depth`, `manifest_bytes`,
 * `answer_bytes`, `yaml_bytes`, `tags`, `referrers`, `candidates`, `signature_bytes`, `attestation_bytes`, `signature_layers`,
 * `log_entries`, `timestamps`, `subjects`, `keyless_memory`, `verify_bytes` and `verify_time` (milliseconds).
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_limit(struct oci_chart_client_options *options,
                                                    const char *name,
                                                    uint64_t value,
                                                    struct oci_chart_error **err);

/**
 * Lets only charts out of the stores that satisfy `policy` (JSON), whatever the options of a pull say.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_policy(struct oci_chart_client_options *options,
                                                     const char *policy,
                                                     struct oci_chart_error **err);

/**
 * Keeps what is read from registries in `directory`, which is made when it is needed, up to `max_bytes`; 0 for 1 GiB. Content asked for by
 * digest a second time costs no request.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_cache(struct oci_chart_client_options *options,
                                                    const char *directory,
                                                    uint64_t max_bytes,
                                                    struct oci_chart_error **err);

/**
 * Speaks plain HTTP to `host` (`localhost:5000`), and to no other.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_plain_http(struct oci_chart_client_options *options,
                                                         const char *host,
                                                         struct oci_chart_error **err);

/**
 * Takes the certificate of `host` as it is, and of no other. Whoever can change the traffic can then read and change everything.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_unchecked_certificate(struct oci_chart_client_options *options,
                                                                    const char *host,
                                                                    struct oci_chart_error **err);

/**
 * Trusts the authorities in `pem` for `host`, beside those for every host. They are looked at when the client is made.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_host_root_certificate(struct oci_chart_client_options *options,
                                                                    const char *host,
                                                                    const uint8_t *pem,
                                                                    size_t pem_len,
                                                                    struct oci_chart_error **err);

/**
 * Shows a certificate where `host` asks for one: its chain and its private key (PKCS#8, SEC 1 or PKCS#1), both PEM.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_client_certificate(struct oci_chart_client_options *options,
                                                                 const char *host,
                                                                 const uint8_t *chain,
                                                                 size_t chain_len,
                                                                 const uint8_t *key,
                                                                 size_t key_len,
                                                                 struct oci_chart_error **err);

/**
 * Keeps a pace with `host`: so many requests under way at once, and so many beginning in a minute; 0 for no bound.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_pace(struct oci_chart_client_options *options,
                                                   const char *host,
                                                   uint32_t concurrency,
                                                   uint32_t requests_per_minute,
                                                   struct oci_chart_error **err);

/**
 * Trusts the authorities in `pem` beside those of the system, for every host. They are looked at when the client is made.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_root_certificate(struct oci_chart_client_options *options,
                                                               const uint8_t *pem,
                                                               size_t pem_len,
                                                               struct oci_chart_error **err);

/**
 * Sends requests through `proxy` (`http://user:password@proxy.example:3128`) but for the hosts of `no_proxy` (as in NO_PROXY), whatever
 * the environment says. `proxy` and `no_proxy` may be NULL; without a proxy every request goes directly.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_proxy(struct oci_chart_client_options *options,
                                                    const char *proxy,
                                                    const char *no_proxy,
                                                    struct oci_chart_error **err);

/**
 * Reads content of `host` from the mirror at `endpoint` (`https://mirror.example/v2/path`) first. `host` may be NULL, for every host.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_mirror(struct oci_chart_client_options *options,
                                                     const char *host,
                                                     const char *endpoint,
                                                     struct oci_chart_error **err);

/**
 * Takes mirrors, certificates and logins from a `registries.yaml` of K3s and RKE2. Files that it names are read now.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_registries_yaml(struct oci_chart_client_options *options,
                                                              const uint8_t *data,
                                                              size_t data_len,
                                                              struct oci_chart_error **err);

/**
 * Takes certificates from a directory as docker and containerd have it (`certs.d`, one folder a host). They are read now.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_add_certs_directory(struct oci_chart_client_options *options,
                                                              const char *directory,
                                                              struct oci_chart_error **err);

/**
 * How often a request is sent that fails in passing, and how long is waited in between: `attempts` with the first one (1 for never again),
 * the first wait, which grows, and the longest; 0 leaves each as it is.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_retry(struct oci_chart_client_options *options,
                                                    uint32_t attempts,
                                                    uint64_t first_wait_ms,
                                                    uint64_t most_wait_ms,
                                                    struct oci_chart_error **err);

/**
 * How long is waited for a connection, for the next byte of an answer, for a token, and for the whole of a request, in milliseconds; 0
 * leaves it as it is. For the first byte it is `connect_ms` and a second, where that is longer than `idle_ms`.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_options_set_timeouts(struct oci_chart_client_options *options,
                                                       uint64_t connect_ms,
                                                       uint64_t idle_ms,
                                                       uint64_t token_ms,
                                                       uint64_t request_ms,
                                                       struct oci_chart_error **err);

/**
 * A client. Opens no connection and starts no thread: its first use does. `options` may be NULL: anonymous, over https, the proxies of the
 * environment; they are read and not kept. Free the client with oci_chart_client_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_new(const struct oci_chart_client_options *options,
                                      struct oci_chart_client **out,
                                      struct oci_chart_error **err);

/**
 * Frees the client and its connections. NULL is fine. Not while a call runs with it.
 */
OCI_CHART_API void oci_chart_client_free(struct oci_chart_client *client);

/**
 * Takes a target apart, as JSON with the members `location`, `host`, `repository`, `tag`, `digest` and `selector` (what is meant: a tag, a
 * digest, a range); what it does not have is missing. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_target_parse(const char *target,
                                        char **out,
                                        struct oci_chart_error **err);

/**
 * Whether `version` satisfies `constraint` (`^1.2`, `>=1.2 <2`): sets `out` to 1 or 0.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_version_matches(const char *constraint,
                                           const char *version,
                                           int32_t *out,
                                           struct oci_chart_error **err);

/**
 * Pushes the package to `target` under its version's tag. `target` is `oci://HOST[/PATH]`, below which the chart's name is the repository,
 * or `oci-layout:DIRECTORY`. `options` and `call` may be NULL. `out` may be NULL; else it receives what was done as JSON, to be freed with
 * oci_chart_string_free(): `{"location", "tag", "action", "descriptor": {"mediaType", "digest", "size"}}`, where `action` is `pushed`,
 * `unchanged` or `same-chart`.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_push(const struct oci_chart_client *client,
                                       const struct oci_chart_package *package,
                                       const char *target,
                                       const struct oci_chart_push_options *options,
                                       const struct oci_chart_call *call,
                                       char **out,
                                       struct oci_chart_error **err);

/**
 * Pulls a chart. `target` is `oci://HOST/REPOSITORY[:TAG][@DIGEST]` or `oci-layout:DIRECTORY[:TAG][@DIGEST]`; `version` may be NULL: the
 * target's own, or the newest release; else it is a version or a range (`^1.2`). `options` must say which trust is asked for. `call` may
 * be NULL. Free what was pulled with oci_chart_pulled_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_pull(const struct oci_chart_client *client,
                                       const char *target,
                                       const char *version,
                                       const struct oci_chart_pull_options *options,
                                       const struct oci_chart_call *call,
                                       struct oci_chart_pulled **out,
                                       struct oci_chart_error **err);

/**
 * The manifest's descriptor as JSON: `{"mediaType", "digest", "size"}`. Belongs to what was pulled; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_pulled_get_descriptor(const struct oci_chart_pulled *pulled);

/**
 * The digest of the chart's manifest, `sha256:...`. Belongs to what was pulled; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_pulled_get_digest(const struct oci_chart_pulled *pulled);

/**
 * The manifest, byte for byte. Free it with oci_chart_bytes_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pulled_get_manifest(const struct oci_chart_pulled *pulled,
                                               struct oci_chart_bytes **out,
                                               struct oci_chart_error **err);

/**
 * The package. Free it with oci_chart_package_free(); it lives on when the rest is freed.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pulled_get_package(const struct oci_chart_pulled *pulled,
                                              struct oci_chart_package **out,
                                              struct oci_chart_error **err);

/**
 * Why the chart is trusted, as JSON. Belongs to what was pulled; NULL where no policy was asked for.
 */
OCI_CHART_API const char *oci_chart_pulled_get_evidence(const struct oci_chart_pulled *pulled);

/**
 * 1 if the chart's layer has the type that only very old clients pushed, of which Helm warns; else 0; 0 for NULL.
 */
OCI_CHART_API int32_t oci_chart_pulled_is_legacy(const struct oci_chart_pulled *pulled);

/**
 * Frees what was pulled. NULL is fine.
 */
OCI_CHART_API void oci_chart_pulled_free(struct oci_chart_pulled *pulled);

/**
 * The descriptor of the manifest that is meant, as JSON: `{"mediaType", "digest", "size"}`. `version` and `call` may be NULL. Free the
 * text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_resolve(const struct oci_chart_client *client,
                                          const char *target,
                                          const char *version,
                                          const struct oci_chart_call *call,
                                          char **out,
                                          struct oci_chart_error **err);

/**
 * What Chart.yaml says of the chart that is meant, as JSON, without fetching the chart. `version` and `call` may be NULL. Free the text with
 * oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_fetch_metadata(const struct oci_chart_client *client,
                                                 const char *target,
                                                 const char *version,
                                                 const struct oci_chart_call *call,
                                                 char **out,
                                                 struct oci_chart_error **err);

/**
 * The manifest that is meant, byte for byte and checked, and its descriptor as JSON. `version` and `call` may be NULL. `descriptor` may be
 * NULL; else free the text with oci_chart_string_free(). Free the bytes with oci_chart_bytes_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_fetch_manifest(const struct oci_chart_client *client,
                                                 const char *target,
                                                 const char *version,
                                                 const struct oci_chart_call *call,
                                                 struct oci_chart_bytes **out,
                                                 char **descriptor,
                                                 struct oci_chart_error **err);

/**
 * Whether there is what is meant: sets `out` to 1 or 0. That it cannot be said is a failure. `version` and `call` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_exists(const struct oci_chart_client *client,
                                         const char *target,
                                         const char *version,
                                         const struct oci_chart_call *call,
                                         int32_t *out,
                                         struct oci_chart_error **err);

/**
 * All tags, as a JSON list in the store's order. For very many, oci_chart_client_list_tags() gives them page by page. `call` may be NULL.
 * Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_tags(const struct oci_chart_client *client,
                                       const char *target,
                                       const struct oci_chart_call *call,
                                       char **out,
                                       struct oci_chart_error **err);

/**
 * Lets `tag` point at what is meant, under `mode` (an oci_chart_tag_mode), with `expected_digest` for OCI_CHART_TAG_MODE_EXPECT. `version`,
 * `expected_digest` and `call` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_tag(const struct oci_chart_client *client,
                                      const char *target,
                                      const char *version,
                                      const char *tag,
                                      int32_t mode,
                                      const char *expected_digest,
                                      const struct oci_chart_call *call,
                                      struct oci_chart_error **err);

/**
 * Removes what is meant: a tag, or by digest a manifest. `version` and `call` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_delete(const struct oci_chart_client *client,
                                         const char *target,
                                         const char *version,
                                         const struct oci_chart_call *call,
                                         struct oci_chart_error **err);

/**
 * Looks at `target` step by step, and tells as JSON what works there and what does not. Nothing is written. A registry that fails is an
 * answer, and no failure. `call` may be NULL. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_diagnose(const struct oci_chart_client *client,
                                           const char *target,
                                           const struct oci_chart_call *call,
                                           char **out,
                                           struct oci_chart_error **err);

/**
 * All tags, page by page. Asks for nothing yet. Free the list with oci_chart_list_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_list_tags(const struct oci_chart_client *client,
                                            const char *target,
                                            struct oci_chart_list **out,
                                            struct oci_chart_error **err);

/**
 * All manifests that name the one that is meant as their subject (signatures, attestations, bills of materials), page by page, as
 * descriptors; or those of one artifact type. `version`, `artifact_type` and `call` may be NULL. Free the list with oci_chart_list_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_list_referrers(const struct oci_chart_client *client,
                                                 const char *target,
                                                 const char *version,
                                                 const char *artifact_type,
                                                 const struct oci_chart_call *call,
                                                 struct oci_chart_list **out,
                                                 struct oci_chart_error **err);

/**
 * The names of all repositories of the registry at `host`, page by page; not every registry tells them. Asks for nothing yet. Free the list
 * with oci_chart_list_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_list_repositories(const struct oci_chart_client *client,
                                                    const char *host,
                                                    struct oci_chart_list **out,
                                                    struct oci_chart_error **err);

/**
 * The next page as a JSON list that is not empty. Free the text with oci_chart_string_free(); it is set to NULL at the end. After a failure
 * every further call fails with the same status. `call` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_list_next(struct oci_chart_list *list,
                                     const struct oci_chart_call *call,
                                     char **out,
                                     struct oci_chart_error **err);

/**
 * Frees the list. NULL is fine.
 */
OCI_CHART_API void oci_chart_list_free(struct oci_chart_list *list);

/**
 * Content of the repository `target`, to be read in pieces; asks for nothing yet. `descriptor` is JSON as this library gives it:
 * `{"mediaType", "digest", "size"}`. Free the reader with oci_chart_reader_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_open_blob(const struct oci_chart_client *client,
                                            const char *target,
                                            const char *descriptor,
                                            struct oci_chart_reader **out,
                                            struct oci_chart_error **err);

/**
 * Whether the repository `target` has this content: sets `out` to 1 or 0. `descriptor` is JSON, `{"mediaType", "digest", "size"}`; its media
 * type tells manifests from other content. That it cannot be said is a failure. `call` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_has_blob(const struct oci_chart_client *client,
                                           const char *target,
                                           const char *descriptor,
                                           const struct oci_chart_call *call,
                                           int32_t *out,
                                           struct oci_chart_error **err);

/**
 * The package's bytes, to be read in pieces. Free the reader with oci_chart_reader_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_open(const struct oci_chart_package *package,
                                        struct oci_chart_reader **out,
                                        struct oci_chart_error **err);

/**
 * Reads at most `buffer_len` bytes into `buffer` and sets `out` to their number: 0 at the end, and for a length of 0, where `buffer` may
 * be NULL. `call` may be NULL. Where content that comes over a network failed once, every further read fails with the same status: no failure
 * can be taken for the end.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_reader_read(struct oci_chart_reader *reader,
                                       uint8_t *buffer,
                                       size_t buffer_len,
                                       const struct oci_chart_call *call,
                                       size_t *out,
                                       struct oci_chart_error **err);

/**
 * Frees the reader; what was not read is not fetched. NULL is fine.
 */
OCI_CHART_API void oci_chart_reader_free(struct oci_chart_reader *reader);

/**
 * Content of the repository `target` as a file at `path`, which appears whole and checked or not at all. `descriptor` is JSON:
 * `{"mediaType", "digest", "size"}`. `call` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_fetch_blob(const struct oci_chart_client *client,
                                             const char *target,
                                             const char *descriptor,
                                             const char *path,
                                             const struct oci_chart_call *call,
                                             struct oci_chart_error **err);

/**
 * Puts bytes into the repository `target`, as content of this media type; a manifest also under `tag`, as `mode` (an oci_chart_tag_mode) and
 * `expected_digest` say it for oci_chart_client_tag(). `tag`, `expected_digest` and `call` may be NULL; without a tag the mode is nothing.
 * `out` may be NULL; else it receives the descriptor as JSON, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_store_blob(const struct oci_chart_client *client,
                                             const char *target,
                                             const char *media_type,
                                             const uint8_t *data,
                                             size_t data_len,
                                             const char *tag,
                                             int32_t mode,
                                             const char *expected_digest,
                                             const struct oci_chart_call *call,
                                             char **out,
                                             struct oci_chart_error **err);

/**
 * The package whose bytes `read` gives until it gives none; above 8 MiB they go through a nameless temporary file. `user_data` may be NULL:
 * it is given to `read` as it is. `options` and `call` may be NULL. Of the call its token and its time-out count, and are looked at
 * between two reads; `read` itself may stop the call. Free the package with oci_chart_package_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_load_stream(oci_chart_read_callback read,
                                               void *user_data,
                                               const struct oci_chart_load_options *options,
                                               const struct oci_chart_call *call,
                                               struct oci_chart_package **out,
                                               struct oci_chart_error **err);

/**
 * A signer with the private key in `pem`: `ENCRYPTED SIGSTORE PRIVATE KEY` and `ENCRYPTED COSIGN PRIVATE KEY` as cosign writes them, or
 * PKCS#8, SEC 1 and PKCS#1 without a password. `password` may be NULL, for a key without one. Free the signer with
 * oci_chart_signer_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_signer_new_key(const char *pem,
                                          const char *password,
                                          struct oci_chart_signer **out,
                                          struct oci_chart_error **err);

/**
 * A signer with a new key: ECDSA P-256. Free it with oci_chart_signer_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_signer_generate(struct oci_chart_signer **out,
                                           struct oci_chart_error **err);

/**
 * A signer that asks the `on_sign` of the call it is used in, for a key that only the caller can reach; `public_key` is its public half
 * (PEM), against which every signature is held. Free it with oci_chart_signer_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_signer_new_callback(const char *public_key,
                                               struct oci_chart_signer **out,
                                               struct oci_chart_error **err);

/**
 * The public key as PEM, as cosign writes `cosign.pub`. Belongs to the signer; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_signer_get_public_key(const struct oci_chart_signer *signer);

/**
 * What the key is for: `ecdsa-p256`, `ecdsa-p384`, `ecdsa-p521`, `ed25519`, `rsa`, as policies' documents have it. Belongs to the signer;
 * NULL only for NULL.
 */
OCI_CHART_API
const char *oci_chart_signer_get_algorithm(const struct oci_chart_signer *signer);

/**
 * The private key, encrypted with `password` as cosign does it, as PEM; a signer without a key of its own has none. Free the text with
 * oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_signer_get_private_key(const struct oci_chart_signer *signer,
                                                  const char *password,
                                                  char **out,
                                                  struct oci_chart_error **err);

/**
 * Frees the signer. NULL is fine, and so are publications that it was added to.
 */
OCI_CHART_API void oci_chart_signer_free(struct oci_chart_signer *signer);

/**
 * Signs the manifest that is meant and puts the signature beside it; the chart is untouched. `version`, `options` and `call` may be NULL.
 * `out` may be NULL; else it receives what the signature is kept in, as JSON, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_sign(const struct oci_chart_client *client,
                                       const char *target,
                                       const char *version,
                                       const struct oci_chart_signer *signer,
                                       const struct oci_chart_sign_options *options,
                                       const struct oci_chart_call *call,
                                       char **out,
                                       struct oci_chart_error **err);

/**
 * The descriptor of the manifest that was verified, as JSON: `{"mediaType", "digest", "size"}`. Belongs to what was verified; NULL only for
 * NULL.
 */
OCI_CHART_API
const char *oci_chart_verified_get_descriptor(const struct oci_chart_verified *verified);

/**
 * The digest of the manifest that was verified, `sha256:...`. Belongs to what was verified; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_verified_get_digest(const struct oci_chart_verified *verified);

/**
 * Why the chart is trusted, as JSON. Belongs to what was verified; NULL only for NULL.
 */
OCI_CHART_API const char *oci_chart_verified_get_evidence(const struct oci_chart_verified *verified);

/**
 * Checks that `subchart`, a chart inside a chart, is what its makers released in the repository `target`, file by file, and that the release
 * satisfies `policy` (JSON); fails as oci_chart_client_verify() does, with reason `other-subject` where it is another. `options` and `call` may
 * be NULL. `out` receives what was verified. Free it with oci_chart_verified_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_verify_subchart(const struct oci_chart_client *client,
                                                  const struct oci_chart_chart *subchart,
                                                  const char *target,
                                                  const char *policy,
                                                  const struct oci_chart_verify_options *options,
                                                  const struct oci_chart_call *call,
                                                  struct oci_chart_verified **out,
                                                  struct oci_chart_error **err);

/**
 * Pulls what oci_chart_client_verify() has checked, for whoever looks at the evidence in between: by its digest, whatever became of its tag.
 * `target` may be NULL: where it was verified; else it is another repository that has the same. `call` may be NULL. Free what was pulled
 * with oci_chart_pulled_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_pull_verified(const struct oci_chart_client *client,
                                                const struct oci_chart_verified *verified,
                                                const char *target,
                                                const struct oci_chart_call *call,
                                                struct oci_chart_pulled **out,
                                                struct oci_chart_error **err);

/**
 * Frees what was verified. NULL is fine.
 */
OCI_CHART_API void oci_chart_verified_free(struct oci_chart_verified *verified);

/**
 * Holds the signatures of the chart that is meant against `policy` (JSON), and fails where it is not satisfied
 * (OCI_CHART_STATUS_NOT_SIGNED, _SIGNATURE_INVALID, _POLICY_DENIED) or nobody can say (_COULD_NOT_CHECK); the error has the evidence then.
 * `version`, `options` and `call` may be NULL. `out` receives what was verified, which oci_chart_client_pull_verified() takes. Free it with
 * oci_chart_verified_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_verify(const struct oci_chart_client *client,
                                         const char *target,
                                         const char *version,
                                         const char *policy,
                                         const struct oci_chart_verify_options *options,
                                         const struct oci_chart_call *call,
                                         struct oci_chart_verified **out,
                                         struct oci_chart_error **err);

/**
 * Holds the signatures of the chart that is meant against `policy` (JSON) and tells what was found, as JSON, whatever it comes to.
 * `version`, `options` and `call` may be NULL. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_examine(const struct oci_chart_client *client,
                                          const char *target,
                                          const char *version,
                                          const char *policy,
                                          const struct oci_chart_verify_options *options,
                                          const struct oci_chart_call *call,
                                          char **out,
                                          struct oci_chart_error **err);

/**
 * Holds the attestations of the chart that is meant against `policy` (JSON, one of attestations), and fails as oci_chart_client_verify()
 * does. `version`, `options` and `call` may be NULL. `out` receives `{"value": [...], "evidence": ...}`. Free the text with
 * oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_verify_attestation(const struct oci_chart_client *client,
                                                     const char *target,
                                                     const char *version,
                                                     const char *policy,
                                                     const struct oci_chart_verify_options *options,
                                                     const struct oci_chart_call *call,
                                                     char **out,
                                                     struct oci_chart_error **err);

/**
 * What Flux is told to verify, as a policy: `object` is an `OCIRepository`, `HelmChart` or `HelmRelease`, YAML or JSON, and `secrets` a JSON list
 * with the manifests of the Secrets that it names, each a text. `secrets` may be NULL. `out` receives the policy as JSON. Free the text with
 * oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_policy_from_flux(const char *object,
                                            const char *secrets,
                                            char **out,
                                            struct oci_chart_error **err);

/**
 * What a `ClusterImagePolicy` of Sigstore's policy-controller demands, as a policy: `object` is its manifest, YAML or JSON, and `secrets` a JSON list
 * with the manifests of the Secrets that it names, each a text; a `trustRootRef` names a Secret with the key `trusted_root.json`. `secrets` may be NULL.
 * Attestations, CUE and Rego are OCI_CHART_STATUS_UNSUPPORTED. `out` receives the policy as JSON. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_policy_from_cluster_image_policy(const char *object,
                                                            const char *secrets,
                                                            char **out,
                                                            struct oci_chart_error **err);

/**
 * Checks a Sigstore bundle that lies beside any artifact, without a network, as `cosign verify-blob` does. The artifact is `data`, or
 * `digest` alone; either is given. `signer` is JSON: `{"key": PEM}` or `{"identities": [...]}`; `trust_root` is a `trusted_root.json`.
 * `data`, `digest` and `trust_root` may be NULL; without a root the one in the library counts. `out` receives who signed, and when, as
 * JSON. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_verify_bundle(const uint8_t *bundle,
                                         size_t bundle_len,
                                         const uint8_t *data,
                                         size_t data_len,
                                         const char *digest,
                                         const char *signer,
                                         const char *trust_root,
                                         char **out,
                                         struct oci_chart_error **err);

/**
 * Attaches a document to the chart that is meant, unsigned: a bill of materials, the result of a scan, anything. `artifact_type` says what
 * it is; where it is NULL, the document is a bill of materials (SPDX, CycloneDX) and tells itself. The chart is untouched. `version`,
 * `artifact_type`, `options` and `call` may be NULL. `out` may be NULL; else it receives the attachment's descriptor and whether it had to
 * be written, as JSON, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_attach(const struct oci_chart_client *client,
                                         const char *target,
                                         const char *version,
                                         const char *artifact_type,
                                         const uint8_t *data,
                                         size_t data_len,
                                         const struct oci_chart_attach_options *options,
                                         const struct oci_chart_call *call,
                                         char **out,
                                         struct oci_chart_error **err);

/**
 * All that is attached to what is meant, and what is attached to that, as JSON. Nobody has checked what it claims to be. `version` and
 * `call` may be NULL. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_tree(const struct oci_chart_client *client,
                                       const char *target,
                                       const char *version,
                                       const struct oci_chart_call *call,
                                       char **out,
                                       struct oci_chart_error **err);

/**
 * Takes an attachment out by the digest of its manifest. `info` may be NULL; else it receives `{"artifactType", "layerType", "title",
 * "annotations", "bytes"}`, to be freed with oci_chart_string_free(); a title is what a stranger wrote, and no path to be written to
 * unseen. `call` may be NULL. `out` gives the content; free it with oci_chart_reader_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_fetch_attachment(const struct oci_chart_client *client,
                                                   const char *target,
                                                   const char *digest,
                                                   const struct oci_chart_call *call,
                                                   struct oci_chart_reader **out,
                                                   char **info,
                                                   struct oci_chart_error **err);

/**
 * Signs a statement about the chart that is meant and attaches it as a bundle. `predicate_type` is a URI or cosign's short name
 * (`slsaprovenance1`); where it is NULL, `predicate` is a bill of materials (SPDX, CycloneDX, as JSON) and tells itself. `predicate` is
 * JSON and goes into the statement as it stands. `version`, `predicate_type`, `options` and `call` may be NULL. `out` may be NULL; else it
 * receives the attestation's descriptor as JSON, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_attest(const struct oci_chart_client *client,
                                         const char *target,
                                         const char *version,
                                         const char *predicate_type,
                                         const char *predicate,
                                         const struct oci_chart_signer *signer,
                                         const struct oci_chart_sign_options *options,
                                         const struct oci_chart_call *call,
                                         char **out,
                                         struct oci_chart_error **err);

/**
 * A publication of the chart alone: as it is, it is a push. Free it with oci_chart_publication_free().
 */
OCI_CHART_API OCI_CHART_MUST_USE struct oci_chart_publication *oci_chart_publication_new(void);

/**
 * Adds a signature of `signer`, which may be freed afterwards.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_publication_add_signer(struct oci_chart_publication *publication,
                                                  const struct oci_chart_signer *signer,
                                                  struct oci_chart_error **err);

/**
 * Says how it is signed. `options` may be NULL, for the defaults.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_publication_set_sign_options(struct oci_chart_publication *publication,
                                                        const struct oci_chart_sign_options *options,
                                                        struct oci_chart_error **err);

/**
 * Adds something to be attached, as oci_chart_client_attach() does; the bytes are copied. `artifact_type` and `options` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_publication_add_attachment(struct oci_chart_publication *publication,
                                                      const char *artifact_type,
                                                      const uint8_t *data,
                                                      size_t data_len,
                                                      const struct oci_chart_attach_options *options,
                                                      struct oci_chart_error **err);

/**
 * Adds something to be said and signed by each signer, as oci_chart_client_attest() does. `predicate_type` may be NULL.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_publication_add_attestation(struct oci_chart_publication *publication,
                                                       const char *predicate_type,
                                                       const char *predicate,
                                                       struct oci_chart_error **err);

/**
 * Pushes the package to `target` (as oci_chart_client_push() has it) with all that belongs to it, so that nobody who looks at the tag ever
 * sees less. Run again after a failure it does what is missing. `options` and `call` may be NULL. `out` may be NULL; else it receives what
 * was done as JSON, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_publish(const struct oci_chart_client *client,
                                          const struct oci_chart_package *package,
                                          const char *target,
                                          const struct oci_chart_publication *publication,
                                          const struct oci_chart_push_options *options,
                                          const struct oci_chart_call *call,
                                          char **out,
                                          struct oci_chart_error **err);

/**
 * Frees the publication. NULL is fine.
 */
OCI_CHART_API void oci_chart_publication_free(struct oci_chart_publication *publication);

/**
 * The package with a provenance file that says what `helm package --sign` says, signed by an OpenPGP key. `keyring` holds the secret key
 * as GnuPG exports it, armored or not; `key` chooses one by fingerprint, user id or a part of it; `time` is in seconds since 1970, 0 for
 * now. `key` and `passphrase` may be NULL, for the only secret key of the ring, and one without a passphrase. Free the package with
 * oci_chart_package_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_sign_provenance(const struct oci_chart_package *package,
                                                   const uint8_t *keyring,
                                                   size_t keyring_len,
                                                   const char *key,
                                                   const char *passphrase,
                                                   uint64_t time,
                                                   struct oci_chart_package **out,
                                                   struct oci_chart_error **err);

/**
 * Holds the package's provenance file against `policy`, JSON of the form `{"pgp": ...}`; `time` is that of the check in seconds since
 * 1970, 0 for now. `out` receives who signed and what was signed, as JSON. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_package_verify_provenance(const struct oci_chart_package *package,
                                                     const char *policy,
                                                     uint64_t time,
                                                     char **out,
                                                     struct oci_chart_error **err);

/**
 * Shows a user and a password to a registry and, if it takes them, keeps them where other programs find them too. `host` may have a scheme
 * and a path. `options` and `call` may be NULL. `out` may be NULL; else it receives `{"storedIn", "verified", "expiry"}`, to be freed with
 * oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_login(const struct oci_chart_client *client,
                                        const char *host,
                                        const char *user,
                                        const char *password,
                                        const struct oci_chart_login_options *options,
                                        const struct oci_chart_call *call,
                                        char **out,
                                        struct oci_chart_error **err);

/**
 * Forgets a login that this or another program has left. `options` and `call` may be NULL. `out` may be NULL; else it receives
 * `{"removed", "remaining"}`: where it was taken away, and where one would still be found. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_logout(const struct oci_chart_client *client,
                                         const char *host,
                                         const struct oci_chart_login_options *options,
                                         const struct oci_chart_call *call,
                                         char **out,
                                         struct oci_chart_error **err);

/**
 * Whose name the client uses at a registry, where the credentials come from, and when they and the tokens made of them end, as JSON.
 * `call` may be NULL. Free the text with oci_chart_string_free(); it is set to NULL where the client is anonymous.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_login_status(const struct oci_chart_client *client,
                                               const char *host,
                                               const struct oci_chart_call *call,
                                               char **out,
                                               struct oci_chart_error **err);

/**
 * The logins that Helm, docker and podman keep on this machine, without their secrets, as a JSON list of `{"key", "username", "origin"}`.
 * `call` may be NULL. Free the text with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_client_stored_logins(const struct oci_chart_client *client,
                                                const struct oci_chart_call *call,
                                                char **out,
                                                struct oci_chart_error **err);

/**
 * A secret without logins. Free it with oci_chart_pull_secret_free().
 */
OCI_CHART_API OCI_CHART_MUST_USE struct oci_chart_pull_secret *oci_chart_pull_secret_new(void);

/**
 * Reads a Secret as a manifest, YAML or JSON: a docker configuration, or `username` and `password`. Free it with oci_chart_pull_secret_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pull_secret_parse(const uint8_t *manifest,
                                             size_t manifest_len,
                                             struct oci_chart_pull_secret **out,
                                             struct oci_chart_error **err);

/**
 * Adds a login for `host`, or replaces the one that is there.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pull_secret_add_login(struct oci_chart_pull_secret *secret,
                                                 const char *host,
                                                 const char *user,
                                                 const char *password,
                                                 struct oci_chart_error **err);

/**
 * The user's name that the secret holds for a repository, under `rule` (an oci_chart_key_rule). `repository` may be NULL, for the host
 * alone. Free the text with oci_chart_string_free(); it is set to NULL where the secret has none.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pull_secret_get_user(const struct oci_chart_pull_secret *secret,
                                                const char *host,
                                                const char *repository,
                                                int32_t rule,
                                                char **out,
                                                struct oci_chart_error **err);

/**
 * The manifest of a Secret called `name`, for `imagePullSecrets` and for the sources of Flux and Argo CD, with its logins in clear.
 * `in_namespace` may be NULL. Free the text with oci_chart_string_free(), which wipes it.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pull_secret_to_manifest(const struct oci_chart_pull_secret *secret,
                                                   const char *name,
                                                   const char *in_namespace,
                                                   char **out,
                                                   struct oci_chart_error **err);

/**
 * The docker configuration in the secret, as `.dockerconfigjson` holds it, with its logins in clear. Free the text with
 * oci_chart_string_free(), which wipes it.
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_pull_secret_to_docker_config(const struct oci_chart_pull_secret *secret,
                                                        char **out,
                                                        struct oci_chart_error **err);

/**
 * Frees the secret. NULL is fine.
 */
OCI_CHART_API void oci_chart_pull_secret_free(struct oci_chart_pull_secret *secret);

/**
 * How much is in the cache at `directory`, as JSON: `{"entries", "bytes"}`. A directory that is not there is empty. Free the text with
 * oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_cache_usage(const char *directory,
                                       char **out,
                                       struct oci_chart_error **err);

/**
 * Removes from the cache at `directory` what was not used for longest, until at most `bytes` are left. Others may go on using it. `out`
 * may be NULL; else it receives what was removed, as JSON, to be freed with oci_chart_string_free().
 */
OCI_CHART_API
OCI_CHART_MUST_USE
oci_chart_status oci_chart_cache_prune(const char *directory,
                                       uint64_t bytes,
                                       char **out,
                                       struct oci_chart_error **err);

#if defined(OCI_CHART_TESTING)
/**
 * Lets the next call of the function called `function` panic, once. NULL sets nothing, and takes back what was set.
 */
OCI_CHART_API oci_chart_status oci_chart_testing_panic_in(const char *function, struct oci_chart_error **err);
#endif

#if defined(OCI_CHART_TESTING)
/**
 * 1 if a panic is still to come, else 0; takes it back.
 */
OCI_CHART_API int32_t oci_chart_testing_is_armed(void);
#endif

#if defined(OCI_CHART_TESTING)
/**
 * Fails with an error of every kind: `status` chooses.
 */
OCI_CHART_API oci_chart_status oci_chart_testing_fail(int32_t status, struct oci_chart_error **err);
#endif

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* OCI_CHART_H */
