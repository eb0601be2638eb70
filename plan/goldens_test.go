package plan_test

import "time"

const backupM2 = "stop m2, archive m2, start m2, verify m2"

func goldens() []golden {
	return dueCases()
}

func dueCases() []golden {
	return []golden{
		func() golden {
			st := observed(3)
			keep(st, aged(5*time.Hour))
			return golden{name: "fresh", about: "The newest backup is young enough: nothing is to be done.", config: config(3), state: st}
		}(),
		func() golden {
			st := observed(3)
			keep(st, aged(26*time.Hour))
			return golden{name: "due", about: "The newest backup is older than max_age.", config: config(3), state: st, steps: backupM2, codes: []string{"RQ103"}}
		}(),
	}
}
