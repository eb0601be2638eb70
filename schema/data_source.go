package schema

// data writes the volume and directory blocks of a backup.
func (w *sourceWriter) data(list []Data) {
	for _, d := range list {
		in := &sourceWriter{}
		in.text("node", d.Node)
		if d.Volume != d.Name {
			in.text("volume", d.Volume)
		}
		in.text("path", d.Path)
		in.texts("quiesce", d.Quiesce)
		if d.Timeout != DefaultDataTimeout {
			in.duration("timeout", d.Timeout)
		}
		if d.OnError != OnErrorFail {
			in.text("on_error", d.OnError)
		}
		in.command("before", d.Before)
		in.command("after", d.After)
		w.nested(d.Kind+" "+w.quote(d.Name), in)
	}
}

func (w *sourceWriter) command(kind string, c *Command) {
	if c == nil {
		return
	}
	in := &sourceWriter{}
	in.text("service", c.Service)
	in.texts("command", c.Args)
	w.nested(kind, in)
}
