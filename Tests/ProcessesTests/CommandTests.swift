import Processes
import TensorTypes
import Testing

@Suite("Commands")
struct CommandTests {
    @Test("a quoted word is one word, whatever is in it", arguments: ["", "a b", "it's", "$HOME `x` \"y\" \\", "''"])
    func quoted(word: String) throws {
        let outcome = try Command("printf %s " + ShellWord.quoted(word)).run()
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == word)
    }

    @Test(
        "words for a shell",
        arguments: [
            ("a/b.c", "a/b.c"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("$x", "'$x'"), ("é", "'é'"),
        ])
    func quoting(word: String, quoted: String) {
        #expect(ShellWord.quoted(word) == quoted)
    }

    @Test("exit codes and signals are told apart")
    func status() throws {
        #expect(try Command("exit 7").run().status == 7)
        #expect(try Command("kill -9 $$").run().status == 128 + 9)
        #expect(try Command("cat").run().output.isEmpty)
    }

    @Test("of long output, the end is kept")
    func long() throws {
        let output = try Command("yes | head -c 1000000; printf end").run().output
        #expect(output.count == 1 << 16 && output.suffix(3) == Array("end".utf8)[...])
    }

    @Test("a cancelled command ends, and all that it started", arguments: ["", "trap '' TERM; ", "exec >&-; "])
    func cancelled(how: String) throws {
        let clock = ContinuousClock()
        let begin = clock.now
        let outcome = try Command(how + "echo begun; sleep 60 & sleep 60").run {
            begin.duration(to: clock.now) > .milliseconds(300)
        }
        #expect(outcome.status > 128)
        #expect(begin.duration(to: clock.now) < .seconds(10))
    }

    @Test("a command that closes its output is waited for")
    func closed() throws {
        #expect(try Command("exec >&-; sleep 0.3; exit 5").run().status == 5)
    }
}
