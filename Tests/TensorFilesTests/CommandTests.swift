import TensorFiles
import TensorTypes
import Testing

@Suite("Commands")
struct CommandTests {
    @Test("a quoted word is one word, whatever is in it", arguments: ["", "a b", "it's", "$HOME `x` \"y\" \\", "''"])
    func quoted(word: String) throws {
        let outcome = try Command("printf %s " + Command.quoted(word)).run()
        #expect(outcome.status == 0 && String(decoding: outcome.output, as: UTF8.self) == word)
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
}
