package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"strconv"
)

// vocabulary are words that are nobody's language but have its frequencies: the
// first are short and come often.
var vocabulary = func() []string {
	r := seeded("vocabulary", 0)
	list := make([]string, 8192)
	for i := range list {
		word := make([]byte, 2+r.IntN(3+i/1024)+r.IntN(3))
		for k := range word {
			word[k] = "etaoinshrdlcumwfgypbvk"[min(r.IntN(22), r.IntN(22))]
		}
		list[i] = string(word)
	}
	return list
}()

// draw gives one one; that two bits fewer make it half as likely is Zipf's law.
func draw(r *rand.Rand) string {
	bits := 1 + r.IntN(13)
	return vocabulary[r.IntN(1<<bits)]
}

// prose is lines of words, such as documents, code and configuration are made of.
func prose(w io.Writer, r *rand.Rand) error {
	line := make([]byte, 0, 1<<10)
	for {
		line = line[:0]
		for range 4 + r.IntN(12) {
			line = append(append(line, draw(r)...), ' ')
		}
		line[len(line)-1] = '\n'
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
}

// logs is lines of a server's log: the same words at the same places, and numbers that
// differ.
func logs(w io.Writer, r *rand.Rand) error {
	line := make([]byte, 0, 1<<10)
	second := 1_700_000_000 + r.IntN(1_000_000)
	for {
		second += r.IntN(2)
		line = fmt.Appendf(line[:0], `10.%d.%d.%d - - [%d] "GET /%s/%s/%d HTTP/1.1" `, r.IntN(4), r.IntN(64), r.IntN(256), second, draw(r), draw(r), r.IntN(1_000_000))
		line = append(append(line, []string{"200 ", "200 ", "200 ", "304 ", "404 "}[r.IntN(5)]...), strconv.Itoa(r.IntN(100_000))...)
		line = append(append(line, ` "-" "agent/`...), strconv.Itoa(r.IntN(40))...)
		line = append(line, " (compatible)\"\n"...)
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
}

// tables is pages of a database: a head, rows with keys that count up, numbers, and
// a little text, and room that is left.
func tables(w io.Writer, r *rand.Rand) error {
	const page, row = 8 << 10, 96
	buf := make([]byte, page)
	for number, key := uint64(0), r.Uint64N(1<<40); ; number++ {
		clear(buf)
		binary.LittleEndian.PutUint64(buf, number)
		binary.LittleEndian.PutUint64(buf[8:], r.Uint64())
		for at := 24; at+row <= page*(70+r.IntN(30))/100; at += row {
			key += 1 + r.Uint64N(3)
			binary.LittleEndian.PutUint64(buf[at:], key)
			binary.LittleEndian.PutUint64(buf[at+8:], uint64(1_700_000_000_000+r.Int64N(1<<32)))
			binary.LittleEndian.PutUint64(buf[at+16:], r.Uint64())
			binary.LittleEndian.PutUint32(buf[at+24:], uint32(r.IntN(5)))
			for text := buf[at+32 : at+row-r.IntN(24)]; len(text) > 0; {
				n := copy(text, draw(r))
				text = text[n:]
				text = text[copy(text, " "):]
			}
		}
		if _, err := w.Write(buf); err != nil {
			return err
		}
	}
}
