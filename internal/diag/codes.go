package diag

import "sort"

// Class says what a code does to a run.
type Class string

// The classes of codes. A refusal stops a goal, never the whole plan; a hazard
// of a destructive class must be approved; a notice is shown and no more.
const (
	Refusal     Class = "refusal"
	Destructive Class = "destructive"
	Hazard      Class = "hazard"
	Notice      Class = "notice"
)

// Code is a row of the one table of RQ codes, from which the documentation is
// made. Meaning says what was seen and why it matters, Remedy what to do.
type Code struct {
	ID      string
	Class   Class
	Title   string
	Meaning string
	Remedy  string
}

// The codes. RQ1xx are about backups and what they do to the running swarm,
// RQ2xx are refusals, RQ3xx are about what could not be looked at, RQ4xx are
// about a run.
const (
	SingleManager       = "RQ101"
	TasksOnManager      = "RQ102"
	NoSpareManager      = "RQ103"
	PlaintextBackup     = "RQ105"
	SuspectBackup       = "RQ106"
	UnlockKeyElsewhere  = "RQ107"
	RebootWhileLocked   = "RQ108"
	BackupFromFuture    = "RQ109"
	NeverOpened         = "RQ110"
	UndeclaredManager   = "RQ111"
	BackupDamaged       = "RQ112"
	UndeclaredNode      = "RQ113"
	BackupNotSigned     = "RQ117"
	IdentityOnNode      = "RQ118"
	UnlockKeyNowhere    = "RQ119"
	StateReplaced       = "RQ120"
	ManagerUnfenced     = "RQ121"
	WritesMayBeLost     = "RQ122"
	SurvivorBehind      = "RQ123"
	NotOpenedYet        = "RQ124"
	StateGoesBack       = "RQ125"
	NoSharedLock        = "RQ126"
	UnlockKeyKept       = "RQ127"
	UnlockKeyToFetch    = "RQ128"
	AutolockOff         = "RQ129"
	ContainersEnd       = "RQ130"
	VolumesKept         = "RQ131"
	WorkRepeats         = "RQ132"
	SharedMounts        = "RQ133"
	ContainersUnknown   = "RQ134"
	DataReplaced        = "RQ135"
	DataKept            = "RQ136"
	DataNotHeld         = "RQ137"
	ZoneLosesQuorum     = "RQ140"
	EntryRemoved        = "RQ141"
	TicksAreEngines     = "RQ142"
	BackupsRemoved      = "RQ150"
	ServicesStop        = "RQ160"
	DataWhileWritten    = "RQ161"
	GlobalStops         = "RQ162"
	DataLeftOut         = "RQ163"
	ServicesAtRest      = "RQ164"
	ScheduleStray       = "RQ170"
	QuorumWouldBeLost   = "RQ201"
	NoCandidate         = "RQ202"
	NoRoom              = "RQ203"
	ClockSkew           = "RQ204"
	NoUnlockKey         = "RQ205"
	LiveRestore         = "RQ206"
	WrongCluster        = "RQ207"
	OneMachineTwice     = "RQ208"
	NotHealthy          = "RQ209"
	RepositoryUnusable  = "RQ210"
	HelperMissing       = "RQ211"
	TwoClusters         = "RQ212"
	AmbiguousNode       = "RQ213"
	LeaderNamed         = "RQ214"
	NodeIDTwice         = "RQ215"
	RunInProgress       = "RQ216"
	LeftoverStuck       = "RQ217"
	NodeDiffers         = "RQ218"
	SwarmDiffers        = "RQ219"
	NodeUndeclared      = "RQ220"
	Undecided           = "RQ221"
	NotAllowed          = "RQ222"
	NothingToRecover    = "RQ223"
	ManagerGone         = "RQ224"
	BackupUnfit         = "RQ225"
	LockNeeded          = "RQ226"
	ManagersFirst       = "RQ227"
	NoSignKey           = "RQ235"
	DataUnfit           = "RQ236"
	RecoveryTargeted    = "RQ240"
	PruneWaits          = "RQ250"
	BackupNotCopied     = "RQ251"
	ScheduleUnplaced    = "RQ270"
	NoSuchService       = "RQ260"
	DataUnusable        = "RQ261"
	HostUnreachable     = "RQ301"
	HostKeyUnknown      = "RQ302"
	HostKeyChanged      = "RQ303"
	NotRoot             = "RQ304"
	EngineUnanswered    = "RQ305"
	DiskUnread          = "RQ306"
	HostIncomplete      = "RQ307"
	UnfinishedRun       = "RQ401"
	LockHeld            = "RQ402"
	PlanStale           = "RQ403"
	PlanAltered         = "RQ404"
	NotApproved         = "RQ405"
	ManagerLeftLocked   = "RQ406"
	BackupUnreadable    = "RQ407"
	RunTokenRefused     = "RQ408"
	ConfigurationDiffer = "RQ409"
	ManagerAnswers      = "RQ410"
	PlanExpired         = "RQ411"
	NotRestored         = "RQ412"
	CheckFailed         = "RQ413"
	KeyNotDelivered     = "RQ414"
	RepositoryEmptied   = "RQ420"
	DataUsed            = "RQ421"
	DataNotRead         = "RQ430"
	ServicesNotResumed  = "RQ431"
)

// Codes gives the whole table, sorted by ID.
func Codes() []Code {
	list := make([]Code, len(codes))
	copy(list, codes)
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

// Lookup finds a code's row.
func Lookup(id string) (Code, bool) {
	for _, c := range codes {
		if c.ID == id {
			return c, true
		}
	}
	return Code{}, false
}

var codes = []Code{
	{SingleManager, Hazard, "The only manager is stopped", "The swarm has one manager. While it is copied nothing can be deployed, and if the host dies in that time the swarm is gone but for the backups.", "Run three managers, each in a zone of its own; until then take backups when nobody deploys."},
	{TasksOnManager, Hazard, "Tasks run on the manager that is stopped", "Containers that run on the manager end when its engine stops, and are started elsewhere or again after the start.", "Drain managers (availability \"drain\"), so that nothing but the control plane runs on them."},
	{NoSpareManager, Hazard, "No further manager may fail meanwhile", "While this manager is down, or from this step on until the next manager is there, exactly the quorum is up: the loss of one more would stop the control plane until one is back.", "Run five managers where backups are taken often, or take them when the hosts are calm."},
	{PlaintextBackup, Hazard, "The backup is stored in clear", "Whoever can read the repository has the cluster's CA key, its secrets and its join tokens.", "Name recipients in the repository block and remove plaintext."},
	{SuspectBackup, Hazard, "A backup is suspect", "Its swarm was created at another time, its raft position went back, or far fewer objects were counted than in the backup before. It satisfies no max_age and removes no other backup.", "Look at it with requeen backup show; if the swarm really was emptied on purpose, take a new backup with plan -backup and keep the old ones."},
	{UnlockKeyElsewhere, Hazard, "The unlock key is kept nowhere in the backup", "The swarm is auto-locked: without the unlock key that is valid now this backup can't be restored.", "Keep the key (docker swarm unlock-key) where the backup's identity is kept; its fingerprint is in the manifest."},
	{RebootWhileLocked, Hazard, "A reboot in the window leaves the manager locked", "The unlock key is only in the memory of the unit that stops and starts the engine. If the host loses power in that time, the manager comes back locked.", "If that happens, run requeen apply again, or docker swarm unlock on that manager."},
	{BackupFromFuture, Hazard, "A backup is dated in the future", "Its time is later than this machine's clock allows, so its age says nothing and it satisfies no max_age.", "Set the clocks right (NTP) here and on the managers."},
	{NeverOpened, Notice, "The backups were never opened with an identity", "Nobody has shown yet that the identity which belongs to the recipients exists.", "Run requeen backup verify with the identity once."},
	{UndeclaredManager, Hazard, "A manager of the swarm is not declared", "It counts for the quorum, but requeen can neither look at its host nor choose it.", "Declare it as a node, or demote and remove it."},
	{BackupDamaged, Hazard, "A backup in the repository is damaged", "An object that its manifest names is missing, or has another size or other bytes than were stored; or what is in it lacks a part without which no manager starts.", "Don't rely on it; find out what changed the repository."},
	{UndeclaredNode, Notice, "A node of the swarm is not declared", "It takes tasks, and no node block says what it is to be: requeen leaves it as it is.", "Declare it as a node, or set cluster.prune_nodes, with which a plan removes what is not declared."},
	{BackupNotSigned, Hazard, "A backup is not signed as declared", "The repository block has a verify_key, and the backup's manifest has no signature that it fits: whoever can write to the repository could have put it there, with a swarm of his own in it. It counts for nothing: it satisfies no max_age, is never restored and removes no other backup.", "If it is older than verify_key, it counts again while verify_key is left out; if it was signed with an earlier key, name that one in verify_key too. Otherwise find out who writes to the repository."},
	{IdentityOnNode, Hazard, "The identity lies on a node", "The identity that opens the backups is on a machine of the swarm itself: what takes that machine takes the key to the backups too, and who breaks into it has both.", "Keep a copy of the identity off the swarm's machines; run requeen from elsewhere, or name another recipient whose identity is not there."},
	{UnlockKeyNowhere, Hazard, "The unlock key is kept nowhere else", "The swarm is auto-locked, and of the unlock key requeen knows only that live managers tell it: once all of them stop, no manager opens again and no backup can be restored.", "Set cluster.unlock_key, for instance to env(\"UNLOCK_KEY\"), or unlock_key_escrow = true in the backup block; and keep what docker swarm unlock-key prints."},
	{StateReplaced, Destructive, "A new cluster is forced", "The quorum is lost for good, and one manager becomes the whole swarm: its swarm directory is replaced by one that names no other manager. The old directory is set aside, not deleted, and every other manager that can be reached is fenced.", "Look at the survivors that the plan compares and at what choosing another would lose; then approve."},
	{ManagerUnfenced, Destructive, "A manager can't be fenced", "It can't be reached, so it can't be stopped. If it runs with others out of sight, they are a second swarm with the same ID, and what they wrote is lost once they meet the new one.", "Make sure that it is off and stays off, or bring it back; then name it in recovery { assume_dead } or approve this code."},
	{WritesMayBeLost, Destructive, "Acknowledged writes may be lost", "A write counts once a majority has it. Too few logs could be read to know that the chosen one has all of them.", "Make the managers that are named readable: a disk that can be read counts, also of a host that is not to run again. Otherwise accept the loss and approve this code."},
	{SurvivorBehind, Destructive, "The survivor is behind the newest backup", "A verified backup of this epoch reaches further than the log of the best survivor.", "Compare them; to go by the backup, requeen plan -restore=ID, or remove force_new_cluster from recovery.allow and allow restore."},
	{NotOpenedYet, Hazard, "The backup was not opened yet", "Planning a restore opens the backup where the identity and, for an auto-locked swarm, the unlock key are at hand. Where they are not, whether it opens is found out when the plan is applied, before any host is touched.", "Plan where the identity and the unlock key are, or run requeen backup verify there, so that a surprise comes now."},
	{StateGoesBack, Destructive, "The swarm goes back to an earlier state", "What was created, changed or removed after the backup was taken is not in it: services, secrets, configs, nodes that joined since.", "Look at the age of the backup; then approve."},
	{NoSharedLock, Hazard, "The run has no shared lock", "The repository can't be reached, so its lock can't be taken, or `-lock=false` leaves it: nothing but the hosts' own locks keeps a second run away.", "See that nobody else runs requeen for this cluster."},
	{UnlockKeyKept, Hazard, "The unlock key stays the old one", "The key of the time before the recovery opens the managers still: whoever had it then, or has it out of a backup's papers, has it now.", "Add recovery { unlock_key_to } with a command, or with a file where a repository has recipients, and plan again; or afterwards, on a manager: docker swarm unlock-key --rotate, and keep what it prints."},
	{UnlockKeyToFetch, Hazard, "The new unlock key is kept nowhere yet", "Auto-lock is turned on, and the swarm makes an unlock key that only its live managers know: should all of them stop, no manager opens again, and no backup that is taken from then on can be restored.", "Add recovery { unlock_key_to } with a command, or with a file where a repository has recipients, and plan again. Otherwise, at once after the step, on a manager: docker swarm unlock-key, and keep what it prints where the backups' identity is kept."},
	{AutolockOff, Hazard, "Managers open without a key", "Auto-lock is turned off: from then on the key to each manager's raft log, with every secret in it, lies in clear on that manager's disk. A manager that is locked now still needs the old unlock key once.", "See that the managers' disks are protected otherwise; keep the old unlock key for the backups that were taken with it."},
	{ContainersEnd, Hazard, "Containers end", "A node obeys the new cluster from its first word on: it kills and removes every container of a task that the cluster does not know. What runs on a host whose engine is stopped ends with it, and its service is started again where the cluster has it.", "Look at what ends (requeen show -json lists all of it, under recovery.containers); save what only those containers hold."},
	{VolumesKept, Hazard, "Anonymous volumes are kept", "A volume without a name goes with its container when a node removes that. Before anything is stopped, a container that is never started (requeen-<recovery>-<container>, label io.requeen.recovery) mounts each by its name, so that the engine leaves it.", "requeen status lists the containers and volumes afterwards. Look into the volumes on that host; requeen host cleanup removes the containers and leaves the volumes, docker volume rm removes a volume that is not needed."},
	{WorkRepeats, Hazard, "Jobs run again, updates resume", "The state that is brought back has jobs that had not ended and updates that were under way: they go on from there, whatever was done since.", "See that running them twice does no harm; stop what must not run once the cluster answers."},
	{SharedMounts, Destructive, "A shared place may be written twice", "A node can't be reached, which does not prove that it is dead. Its tasks are replaced elsewhere, and where they write to a place that both nodes see, two containers may write to it at once.", "Make sure that the node is off, or cut it off from the storage; then approve. Naming it in assume_dead does not answer this."},
	{ContainersUnknown, Hazard, "Which containers end can't be told", "The tasks of the state that is brought back, or the containers on a host, could not be looked at: what the nodes kill is not known before they do.", "Make them readable: the identity and the unlock key for a backup, a connection and a running engine for a host. Then plan again."},
	{ZoneLosesQuorum, Hazard, "The loss of one zone would lose the quorum", "The managers stand in the zones that labels.zone names so that a single zone holds too many of them: when it fails, the rest is no majority, and the control plane stops.", "Spread the managers over three zones: 1-1-1 for three, 2-2-1 for five, 3-2-2 for seven."},
	{EntryRemoved, Hazard, "A node is removed with force", "Its entry goes, and with it the certificates that it has: should it run, its engine takes part in nothing any more and its containers run on until that engine is told to leave.", "If it is to come back: docker swarm leave --force on it, then declare it; the next plan joins it under a new ID."},
	{TicksAreEngines, Hazard, "Engines go by their own ticks", "A manager's raft takes heartbeat and election ticks from its engine's configuration, and warns in its log where the swarm names others.", "Set swarm-raft-heartbeat-tick and swarm-raft-election-tick in daemon.json of every manager to what is declared, and restart their engines one at a time."},
	{BackupsRemoved, Hazard, "Backups are removed", "No rule of the backup's keep block keeps them any more. What is removed can't be brought back, and no plan can restore it; the newest verified backup always stays.", "Look at the list and its reasons; to keep more, raise a number in the keep block, and plan again."},
	{ServicesStop, Hazard, "Services are down while their data is read", "A backup scales the services that use a volume or directory to 0 while it is read, so that what is read is of one moment, and back to the scale that they had. What scale that is stands in a label of each service (io.requeen.scale) as long as it is at 0.", "Let it run when that hurts least; or give the data a before command that makes a consistent copy of it, and leave quiesce out."},
	{DataWhileWritten, Notice, "Data is read while it may be written to", "Nothing brings the application to rest while this data is read: neither quiesce nor a before command is declared. Files that change meanwhile can be of different moments, and a database restored from them may be damaged.", "Name the services that use it in quiesce, or declare a before command that makes a consistent copy; leave it where nothing writes to the data."},
	{GlobalStops, Hazard, "A global service is taken from every node", "A global service has no scale: while its data is read a placement constraint that no node fulfils keeps it from all nodes, also from those of which no data is read.", "Use a before command instead where the service must not be down everywhere."},
	{DataLeftOut, Hazard, "A backup is made without some of its data", "The data can't be read, and on_error = \"continue\" lets the backup be made without it. The manifest says so.", "Mend what the message names; or set on_error = \"fail\", and no backup is made without it."},
	{DataNotHeld, Hazard, "The backup lacks data that are declared", "The volume or directory was declared after the backup was taken, or could not be read then (on_error = \"continue\"), or the backup is the one that a recovery ended with, which is of the swarm alone: the services that use the data start without what an older backup may hold of it.", "Restore it out of the backup that is named, or one that requeen backup list shows with it: requeen plan -restore=ID -only=volume.NAME."},
	{ServicesAtRest, Hazard, "Services are at rest since a run was cut", "A run scaled them to 0 to read their data, and was cut before it gave them their scale back. The scale that they are to have stands in a label of each (io.requeen.scale).", "Run requeen apply: its first steps give them their scale back."},
	{ScheduleStray, Hazard, "A schedule runs on a host that is not declared", "A backup was made by the schedule of a node that no node block declares any more. requeen can't look at its host: the timer goes on there with the configuration of its time, its keep block removes backups by the old rules, and the keys that were put there stay.", "Declare that node again without the schedule, apply, which takes the schedule away, and then remove the node; or on that host, as root: systemctl disable --now requeen-schedule-CLUSTER:BACKUP.timer, then remove /etc/systemd/system/requeen-schedule-CLUSTER:BACKUP.timer and .service, and /var/lib/requeen/schedules/CLUSTER:BACKUP. Where the node only has another name now, nothing is to be done."},
	{QuorumWouldBeLost, Refusal, "One manager less would lose the quorum", "Too few managers are reachable: with one more stopped or demoted the control plane would stop.", "Bring the missing managers back first, then plan again."},
	{NoCandidate, Refusal, "No manager can be chosen for the backup", "No declared manager is a healthy follower that requeen can reach and stop.", "Mend what is in the way of one of them, then plan again."},
	{NoRoom, Refusal, "Too little room on the manager's disk", "The copy is made on the manager's own disk, and a full disk stops a manager.", "Free space there, or choose another manager in swarm { from }."},
	{ClockSkew, Refusal, "The clocks differ too much", "Certificates, the backup's age and the lock rest on clocks that agree within five minutes.", "Set the clocks right (NTP), then plan again."},
	{NoUnlockKey, Refusal, "The unlock key can't be had", "The swarm is auto-locked: a stopped manager can't come back without the key, and no live manager tells it.", "Set cluster.unlock_key, for instance to env(\"UNLOCK_KEY\")."},
	{LiveRestore, Refusal, "live-restore forbids swarm mode", "The engine's configuration has live-restore: a manager with it does not start in swarm mode.", "Remove live-restore from daemon.json on that host."},
	{WrongCluster, Refusal, "The host belongs to another swarm", "The swarm ID found there is not this cluster's: the address may be wrong.", "Correct the node's address or connection, or set cluster.id."},
	{OneMachineTwice, Refusal, "Two nodes are one machine", "Two declared nodes lead to the same machine-id, so one of the addresses is wrong.", "Correct the address or connection of one; clones of one image need their own /etc/machine-id."},
	{NotHealthy, Refusal, "The swarm is not in a state to be backed up", "No manager with a working control plane answers, and a manager is stopped only where one does.", "Bring the swarm back first: requeen status says how it stands, requeen plan how it comes back."},
	{RepositoryUnusable, Refusal, "The repository can't be used", "It can't be listed or written, so whether a backup is due can't be said, and none could be kept.", "Mend what the message names, then plan again."},
	{HelperMissing, Refusal, "No helper for this host's architecture", "The host needs a small root helper (this program), and this build is for another system or architecture.", "Run requeen on a Linux machine of the same architecture, or set RQ_HELPER to a requeen binary built for the host's."},
	{TwoClusters, Refusal, "Two swarm IDs are seen", "The declared hosts or the backups under this label carry more than one swarm ID.", "Set cluster.id to the one that is meant, and correct or remove the others."},
	{AmbiguousNode, Refusal, "A node can't be told apart", "More than one entry of the swarm fits the declared node, as after a reinstallation under the same name.", "Remove the entry that is gone (docker node demote, docker node rm)."},
	{LeaderNamed, Refusal, "The manager that is named leads", "The backup's swarm block names a manager that leads at present. Stopping the leader forces an election, 10 to 20 s without a control plane, while a follower can be stopped without one.", "Set from = \"follower\", name another manager, or let this one lose the lead first (docker node demote and promote, one manager at a time)."},
	{NodeIDTwice, Refusal, "Two machines hold one node ID", "A swarm directory was copied from one machine to another: a node ID belongs to one host.", "Find out which is the real one, stop the engine of the other and move its swarm directory aside."},
	{RunInProgress, Refusal, "A run is in progress on a host", "A detached run of requeen is at work on a manager, which may be down for it; a second stop could lose the quorum.", "Wait until it is done, or run requeen apply where the run was begun; then plan again."},
	{LeftoverStuck, Refusal, "What a cut run left can't be finished now", "A run was cut on this host, and the host is in no state in which it can be finished or removed safely.", "Mend what the message names, then plan again."},
	{NodeDiffers, Refusal, "A node is not as it is declared", "Its role, availability, labels or address in the swarm differ from its node block, or it is in no swarm, and no step of the plan changes that: the message says why. Other steps are planned all the same.", "Do what the plan names, or declare what is there."},
	{SwarmDiffers, Refusal, "The swarm is not as it is declared", "Auto-lock or a setting of the cluster block differs from the swarm's, and no step of the plan changes that: the message says why. Other steps are planned all the same.", "Do what the plan names, or declare what is there."},
	{NodeUndeclared, Refusal, "A node of the swarm is not declared", "cluster.prune_nodes is set, and the swarm has a node that no node block declares, which no step of the plan removes: the message says why.", "Declare it, or do what the plan names."},
	{Undecided, Refusal, "Whether the quorum is lost can't be told yet", "No leader is seen, but an election can take two minutes and a network can heal: a quorum that is out of sight is not lost.", "Wait as long as the plan says, which it does by itself; or bring the managers back that are named."},
	{NotAllowed, Refusal, "The configuration does not allow this", "A recovery takes only the rungs of the ladder that the configuration names.", "Add the word to recovery { allow }, have that reviewed, then plan again. Without the block engines are started and managers unlocked, and no more."},
	{NothingToRecover, Refusal, "There is nothing to recover from", "No host holds the swarm's state, and no verified backup of this cluster is in a repository.", "Look for other disks and copies of the swarm directory, and for other repositories, before anything is started anew."},
	{ManagerGone, Refusal, "A declared manager is gone", "Its host can't be reached or holds no engine, so it can't be brought back, and the swarm stands with fewer managers than declared.", "Bring the host back, or declare another node as manager in its place; the next plan joins it."},
	{BackupUnfit, Refusal, "The backup can't be restored there", "It is of another cluster or of a newer engine, its repository has no identity, or the host can't be reached or can't hold it.", "Choose another backup (-restore=ID) or another host (-onto, or recovery.restore_onto)."},
	{LockNeeded, Refusal, "This needs the repository's lock", "It stores in a repository, removes what another run may be storing, or changes the swarm's shape, and -lock=false leaves the repository's lock: two such runs at once could stop or demote two managers.", "Leave out -lock=false; to bring a swarm back without the lock, apply what plan -lock=false plans."},
	{ManagersFirst, Refusal, "The declared managers come first", "A manager that is up is demoted only once as many managers as are declared are up without it: until then it takes the place of the one that is missing.", "Bring the missing managers back, or declare fewer; then plan again."},
	{NoSignKey, Refusal, "No backup can be signed", "The repository block has a verify_key, and the private key that belongs to it is not at hand: a backup without the signature would be none. So no manager is stopped for it.", "Set sign_key in the repository block to the path of the file that requeen backup keygen wrote (mode 0600), or to the key itself out of env() or a sensitive variable."},
	{RecoveryTargeted, Refusal, "A recovery can't be targeted", "The steps of a recovery are one sequence: who is fenced, out of which log the cluster is made, who joins when. A part of it could leave the cluster without a quorum, or with two.", "Plan without -target; what a recovery may do is said in recovery { allow }."},
	{PruneWaits, Refusal, "Backups are not removed now", "The swarm is in trouble, is being brought back, or a run is at work on it: any backup may be the one that is needed.", "Bring the swarm back first (requeen plan), then prune again."},
	{BackupNotCopied, Refusal, "A repository of copies does not get the backup", "What another repository holds can't be stored there: another object lies under the same ID, the recipients differ and there is no identity to open it with, or nobody could sign it. The backup does not count before each of its repositories holds it.", "Mend what the message names, then plan again. A damaged copy is moved away by hand: the next plan makes it anew."},
	{ScheduleUnplaced, Refusal, "A schedule can't be put on its host", "A backup's schedule is declared on a host that can't be looked at: whether its timer is there, and as it is to be, is not known.", "Bring the host back, or name another node in schedule { on }, then plan again."},
	{NoSuchService, Refusal, "A service that a backup names does not exist", "A data source of the backup is to be read while this service is down, or after a command in it, and the swarm has no service of this name, or it is a job. What is read would not be what was meant.", "Correct quiesce, before or after in the backup block, to what docker service ls calls the service."},
	{DataUnusable, Refusal, "Data that a backup takes can't be read", "A volume or directory of the backup is not there, is of a driver whose files requeen can't read, or its host can't be reached. A backup without it would look like one that has it.", "Mend what the message names; or set on_error = \"continue\" for this data, and the backup is made without it and says so."},
	{HostUnreachable, Hazard, "A host can't be reached", "ssh gave no connection, so nothing is known about this host; unknown is not absent.", "Check the address, the network and the ssh configuration."},
	{HostKeyUnknown, Hazard, "A host key is not known", "ssh has no key on record for this host and requeen never accepts one unseen.", "Compare the key by another way, then connect once with ssh, or add it with ssh-keyscan."},
	{HostKeyChanged, Hazard, "A host key has changed", "The host answers with another key than the one on record: it was reinstalled, or it is another machine.", "Find out why, then ssh-keygen -R the old key."},
	{NotRoot, Hazard, "Not root on a host", "Reading the swarm directory and stopping the engine need root.", "Connect as root, or set become = \"sudo\" with a NOPASSWD rule."},
	{EngineUnanswered, Hazard, "An engine does not answer", "The host is there, but its engine gave no answer in time.", "Look at systemctl status docker on that host."},
	{DiskUnread, Hazard, "A swarm directory could not be read", "Whether this host holds the swarm's state is unknown.", "Check the data root and the mount on that host."},
	{HostIncomplete, Hazard, "A host lacks what requeen needs", "Hosts need sh, coreutils, tar and systemctl.", "Install what is missing."},
	{UnfinishedRun, Notice, "An earlier run is unfinished", "A journal or a run directory of an earlier run is left.", "Run requeen apply: it finishes or clears it."},
	{LockHeld, Refusal, "Another run holds the lock", "One run at a time changes a cluster.", "Wait for it; if its machine is gone for good, requeen force-unlock."},
	{PlanStale, Refusal, "The plan is stale", "What was observed has changed since the plan was made.", "Plan again."},
	{PlanAltered, Refusal, "The plan file was altered", "Its digest does not fit its bytes.", "Plan again; never edit a plan file."},
	{NotApproved, Refusal, "A destructive step is not approved", "Destructive steps run only when they were approved.", "Approve with -digest or -approve=CODE."},
	{ManagerLeftLocked, Refusal, "A manager is locked", "Its engine runs, but it takes no part in the swarm until it is unlocked.", "Run requeen apply again, or docker swarm unlock on that manager."},
	{BackupUnreadable, Refusal, "The copy does not verify", "A backup that can't be read is not a backup; nothing was stored.", "Look at the reason; apply again takes a new copy."},
	{RunTokenRefused, Refusal, "A newer run has been here", "The host saw a run with a higher token: this one's lock was taken over.", "Plan again."},
	{ManagerAnswers, Refusal, "A manager that was taken for lost answers", "A forced cluster evicts every old manager that it can reach, also a live majority with newer writes. So nothing was forced.", "Plan again: with that manager back the quorum may be, too."},
	{PlanExpired, Refusal, "The plan is too old to be begun", "A plan that destroys is good for a while only: the same loss may come again and look the same.", "Plan again, and review it again."},
	{NotRestored, Refusal, "The swarm is not what it was made from", "Something of the source is not in the swarm that answers now.", "Compare what the message names with requeen backup show; what was set aside is still on the host."},
	{CheckFailed, Refusal, "A command of recovery.verify failed", "The swarm answers, and a command that has to succeed before the recovery counts as done says that it does not serve yet. The swarm stays as it is.", "Mend what the command complains of, then run requeen apply: it goes on with that command. If the command itself is wrong, mend recovery.verify; apply then closes this run and plans what is left."},
	{KeyNotDelivered, Refusal, "The new unlock key did not reach its place", "The swarm has a new unlock key, and only its live managers know it: should all of them stop now, no manager opens again.", "Now, on a manager: docker swarm unlock-key, and keep what it prints. Then mend what the message names and run requeen apply again: it delivers the same key."},
	{RepositoryEmptied, Refusal, "The backup that was to stay is gone", "Backups are removed only while the newest verified one is in the repository, whole. It was there when the step began and is not any more: something else removes or changes what is kept there.", "Find out what empties the repository, and stop it, then run requeen plan again."},
	{DataReplaced, Destructive, "Data are replaced by older ones", "A volume or a directory becomes what it was when the backup was made. What it holds now is renamed beside its place and stays until it is removed, but its services go on without it.", "Approve it, or leave it out with -exclude. What was set aside is listed by requeen status."},
	{DataKept, Notice, "Data that are there are kept", "A swarm that is lost is restored with its data only where they are lost too: where the place holds anything, it may be newer than the backup.", "To replace it all the same, restore it by name: requeen plan -restore=ID -only=volume.NAME."},
	{DataUnfit, Refusal, "Data can't be restored", "The backup does not hold them, or where they belong is not declared, can't be reached, or is no place that files can be put into. A service that starts without its data may begin with empty ones, so nothing is restored.", "Do what the message names, or leave them out with -exclude: then their services start without them."},
	{DataUsed, Refusal, "Data are in use", "A container works on the volume or directory that is to be replaced: it would go on writing into what was set aside.", "Stop it (docker stop), or name its service in quiesce of the volume or directory block and plan again; requeen apply goes on from there."},
	{DataNotRead, Refusal, "The data of an application could not be read", "The application could not be brought to rest, or its data not be read whole and stored. Its services have their scale back, and no backup was made.", "Mend what the message names, then run requeen apply again; or set on_error = \"continue\" for this data."},
	{ServicesNotResumed, Refusal, "Services did not get their scale back", "They were scaled to 0 to read their data. The scale that they are to have stands in a label of each (io.requeen.scale).", "Run requeen apply again; or by hand: docker service scale SERVICE=N with the N that docker service inspect shows in io.requeen.scale, then docker service update --label-rm io.requeen.scale SERVICE."},
	{ConfigurationDiffer, Refusal, "The configuration is not the plan's", "The files or variables differ from those the plan was made from.", "Check out the reviewed revision, or plan again."},
}
