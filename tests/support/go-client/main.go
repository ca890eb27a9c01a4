// A client of ext_proc servers as a Go programmer would write it, grpc-go and go-control-plane with nothing tuned, that does what its standard
// input says: one JSON object a line. What happens then is written to its standard output in the same way. All streams share one connection.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"sync"
	"time"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protopath"
	"google.golang.org/protobuf/reflect/protorange"
	"google.golang.org/protobuf/reflect/protoreflect"
)

type command struct {
	Stream int `json:"stream"`
	// "open", "send", "half-close" or "cancel".
	Do string `json:"do"`
	// Of "open": keys and values, in order.
	Metadata [][2]string `json:"metadata"`
	// Of "open": how long the stream may take; 0 is for ever.
	DeadlineMs int `json:"deadlineMs"`
	// Of "send": a ProcessingRequest.
	Message []byte `json:"message"`
}

type event struct {
	Stream int `json:"stream"`
	// A ProcessingResponse; null at the end.
	Message []byte `json:"message"`
	End     *end   `json:"end"`
}

type end struct {
	Code int    `json:"code"`
	Text string `json:"text"`
}

// How many commands may wait for a stream that cannot send.
const waitingMax = 1024

func main() {
	if len(os.Args) != 2 {
		log.Fatal("usage: client TARGET")
	}
	connection, err := grpc.NewClient(os.Args[1], grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		log.Fatal(err)
	}
	client := extproc.NewExternalProcessorClient(connection)
	tell := teller(os.Stdout)
	streams := map[int]chan<- command{}
	input := bufio.NewReader(os.Stdin)
	for {
		line, err := input.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			log.Fatal(err)
		}
		var given command
		if err := json.Unmarshal(line, &given); err != nil {
			log.Fatal(err)
		}
		if given.Do == "open" {
			commands := make(chan command, waitingMax)
			streams[given.Stream] = commands
			go run(client, given, commands, tell)
			continue
		}
		commands, found := streams[given.Stream]
		if !found {
			log.Fatalf("stream %d is not open", given.Stream)
		}
		commands <- given
	}
}

func run(client extproc.ExternalProcessorClient, opening command, commands <-chan command, tell func(event)) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	if opening.DeadlineMs > 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(opening.DeadlineMs)*time.Millisecond)
		defer cancel()
	}
	for _, entry := range opening.Metadata {
		ctx = metadata.AppendToOutgoingContext(ctx, entry[0], entry[1])
	}
	stream, err := client.Process(ctx)
	if err != nil {
		tell(ended(opening.Stream, err))
		return
	}
	go obey(stream, commands, cancel)
	for {
		answer, err := stream.Recv()
		if err != nil {
			tell(ended(opening.Stream, err))
			return
		}
		mustBeKnown(answer)
		bytes, err := proto.Marshal(answer)
		if err != nil {
			log.Fatal(err)
		}
		tell(event{Stream: opening.Stream, Message: bytes})
	}
}

func obey(stream extproc.ExternalProcessor_ProcessClient, commands <-chan command, cancel context.CancelFunc) {
	for {
		select {
		case <-stream.Context().Done():
			return
		case given := <-commands:
			switch given.Do {
			case "send":
				message := &extproc.ProcessingRequest{}
				if err := proto.Unmarshal(given.Message, message); err != nil {
					log.Fatal(err)
				}
				mustBeKnown(message)
				// Where the stream is at its end, receiving tells of it.
				_ = stream.Send(message)
			case "half-close":
				_ = stream.CloseSend()
			case "cancel":
				cancel()
			default:
				log.Fatalf("no such thing to do: %q", given.Do)
			}
		}
	}
}

// Ends the client where a message, or one within it, has a field that Envoy's own types do not have.
func mustBeKnown(message proto.Message) {
	err := protorange.Range(message.ProtoReflect(), func(path protopath.Values) error {
		within, isMessage := path.Index(-1).Value.Interface().(protoreflect.Message)
		if isMessage && len(within.GetUnknown()) > 0 {
			return fmt.Errorf("a field that nobody knows at %v", path.Path)
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
}

func ended(stream int, err error) event {
	if errors.Is(err, io.EOF) {
		return event{Stream: stream, End: &end{}}
	}
	is := status.Convert(err)
	return event{Stream: stream, End: &end{Code: int(is.Code()), Text: is.Message()}}
}

// Writes whole lines, whoever tells.
func teller(to io.Writer) func(event) {
	var alone sync.Mutex
	encoder := json.NewEncoder(to)
	return func(what event) {
		alone.Lock()
		defer alone.Unlock()
		if err := encoder.Encode(what); err != nil {
			log.Fatal(err)
		}
	}
}
