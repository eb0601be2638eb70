// Package repository keeps backups at rest: it writes them so that one exists
// only when all of it does, lists and reads them back, and holds the lock that
// lets one run at a time change a cluster.
//
//	<cluster>/<backup>/swarm.tar.zst.age, config.tar.zst.age, …  then, last:  manifest.json
//	<cluster>/lock/000012.json, 000012.heartbeat, 000011.released
//
// Nothing else is ever in a repository. Without requeen a backup opens with
// age -d | zstd -d | tar x.
//
// What it must not do:
//   - decide which backup is kept, due, suspect or restored: plan does
//   - know Docker, swarms or hosts: it moves bytes and manifests
//   - print, log or prompt
//   - let a partial backup be seen: the manifest is written last, after every
//     object was made durable and read back
//   - put a secret in clear on a disk: what is decrypted goes to the caller's
//     reader or to a Private directory, which is in memory or is not at all
//   - take "could not look" for "is not there" (safety rule 4)
//
// It is the only importer of gocloud.dev and the storage services' libraries, of
// filippo.io/age and klauspost's zstd, and none of their types are in its own signatures.
package repository
