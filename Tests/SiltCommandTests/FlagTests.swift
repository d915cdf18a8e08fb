@testable import SiltPacking
@testable import SiltTuning
@testable import SiltCommand
import Processes
import ArgumentParser
import TensorTypes
import Testing

@Suite("Flags for options of the library")
struct FlagTests {
    @Test(
        "words for a shell",
        arguments: [
            ("a/b.c", "a/b.c"), ("", "''"), ("a b", "'a b'"), ("it's", "'it'\\''s'"), ("$x", "'$x'"), ("é", "'é'"),
        ])
    func quoting(word: String, quoted: String) {
        #expect(ShellWord.quoted(word) == quoted)
    }

    @Test("every lossy option has a flag, and packing takes it")
    func lossyOptions() {
        let help = Pack.helpMessage()
        for option in LossyOption.all { #expect(help.contains(Flags.flag(option.name)), "\(option.name)") }
    }

    @Test("every option that a message can be about has a flag, and a command takes it", arguments: OptionName.allCases)
    func messages(option: OptionName) {
        let commands: [any ParsableCommand.Type] = SiltCommand.configuration.subcommands + [Sync.Write.self]
        let help = commands.map { SiltCommand.helpMessage(for: $0) }.joined()
        let flag = Flags.flag(option.rawValue)
        #expect(help.contains(flag + " ") || help.contains(flag + "\n"), "\(flag)")
        #expect(Flags.worded("give \(option: option) x") == "give \(flag) x")
    }

    @Test("an error shows flags, and names without a front end")
    func errors() {
        let error = SiltError(.usage, "\(option: .rule) is missing", advice: "give \(option: .replaceExisting)")
        #expect(Flags.worded(error.text) == "usage: --q is missing (give --force)")
        #expect(error.description == "usage: rule is missing (give replaceExisting)")
    }

    /// What the command makes of words.
    private func parsed(_ words: String) throws -> LossyOptions? {
        let all = ["pack", "B", "F", "-o", "O"] + words.split(separator: " ").map(String.init)
        return try (SiltCommand.parseAsRoot(all) as? Pack)?.lossy.options
    }

    @Test(
        "what is told is what is taken",
        arguments: [
            "--method random --drop 0.9", "--method lowrank+random --drop 0.5 --rank 3 --seed 4 --values bf16 --q 0.25",
            "--method transform --quality 4 --dead-zone -0.5 --curvature --vectors method --heads method",
            "--method nm --pattern 1:4 --group 64 --mask gaps --embeddings drop --only a.b --except c",
            "--method columns --drop 0 --choose random", "--method magnitude --drop 0.9 --scope global",
            "--method lowrank --energy 0.5", "--method sign",
        ])
    func told(words: String) throws {
        let options = try #require(try parsed(words.replacing("--dead-zone -", with: "--dead-zone=-")))
        let text = Flags.text(PackingChoice(options))
        #expect(text == words)
    }

    @Test("the rule, and the data that it needs")
    func rules() {
        var choice = PackingChoice(LossyOptions(), rule: .labelled, scope: .tensor)
        #expect(Flags.text(choice) == "--method random --drop 0.9 --q labelled --per tensor")
        #expect(
            Flags.text(choice, calibration: "a b", validation: "c", examples: 8)
                == "--method random --drop 0.9 --q labelled --per tensor --calibration 'a b' --validation c --examples 8"
        )
        choice = PackingChoice(LossyOptions(), rule: .leastSquares, multiplier: 1)
        #expect(Flags.text(choice).hasSuffix("--q least-squares --multiplier 1"))
    }
}
