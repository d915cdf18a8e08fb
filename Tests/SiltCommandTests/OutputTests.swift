@testable import SiltReading
@testable import Workers
@testable import SiltCommand
import TensorTypes
import Testing

@Suite("Numbers and columns for people")
struct TextTests {
    @Test(
        "groups of three digits",
        arguments: [
            (0, "0"), (7, "7"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678"), (-1_234, "-1,234"),
            (100_000, "100,000"), (Int.max, "9,223,372,036,854,775,807"), (Int.min, "-9,223,372,036,854,775,808"),
        ])
    func grouped(value: Int, text: String) { #expect(Text.grouped(value) == text) }

    @Test(
        "decimals",
        arguments: [
            (0, 2, "0.00"), (1.005, 1, "1.0"), (2.5, 0, "3"), (0.049, 1, "0.0"), (0.05, 1, "0.1"), (9.999, 2, "10.00"),
            (-0.001, 2, "0.00"), (-1.25, 1, "-1.3"), (12.0625, 3, "12.063"), (1e14, 2, "100000000000000.00"),
            (1e15, 2, "-"), (.infinity, 1, "-"), (.nan, 1, "-"), (-.infinity, 0, "-"),
        ] as [(Double, Int, String)])
    func decimal(value: Double, places: Int, text: String) { #expect(Text.decimal(value, places) == text) }

    @Test("filling up on either side, and leaving alone what is long enough")
    func filling() {
        #expect(Text.left("ab", 4) == "ab  " && Text.right("ab", 4) == "  ab")
        #expect(Text.left("ab", 1) == "ab" && Text.right("ab", 0) == "ab")
    }

    @Test(
        "names lose their beginning",
        arguments: [
            ("abc", 3, "abc"), ("abcd", 3, "…cd"), ("abc", 10, "abc"), ("abc", 2, "…c"), ("abc", 1, "a"),
            ("abc", 0, ""),
            ("abc", -1, ""), ("", 0, ""),
        ])
    func shortened(text: String, width: Int, expected: String) { #expect(Text.shortened(text, to: width) == expected) }

    @Test(
        "what could move the cursor or turn the writing round is escaped, all else stays",
        arguments: [
            ("a\u{1B}[2Kb\r\n", #"a\u{1B}[2Kb\r\n"#), ("\u{202E}x", #"\u{202E}x"#),
            ("\u{2028}\u{85}", #"\u{2028}\u{0085}"#),
            ("\0\u{7F}\t", #"\0\u{7F}\t"#), ("größe 重み \\ \"█…\"", "größe 重み \\ \"█…\""), ("", ""),
        ])
    func printable(text: String, expected: String) { #expect(Text.printable(text) == expected) }

    @Test("long lines are broken at spaces, and nothing is lost")
    func wrapped() {
        let line = (0..<40).map { "word\($0)" }.joined(separator: " ")
        let lines = Text.wrapped(line)
        #expect(lines.count > 1 && lines.allSatisfy { $0.count <= 80 })
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("  word") })
        #expect(lines.joined(separator: " ").split(separator: " ") == line.split(separator: " "))
        #expect(Text.wrapped("short") == ["short"] && Text.wrapped("") == [""])
        let long = String(repeating: "x", count: 100)
        #expect(Text.wrapped(long) == [long])
    }
}

@Suite("Tables")
struct TableTests {
    @Test("columns are as wide as they must be, numbers on the right")
    func lines() {
        var table = Table([
            .init(title: "name", isNumber: false), .init(title: "n"), .init(title: "x", isNumber: false),
        ])
        table.add(["a", "1,000", "y"])
        table.add(["long name", "7", ""])
        #expect(
            table.lines() == [
                "  name           n  x",
                "  a          1,000  y",
                "  long name      7",
            ])
    }

    @Test("the column that may give way does", arguments: [80, 60, 45])
    func shrinking(width: Int) {
        var table = Table([
            .init(title: "tensor", isNumber: false, canShrink: true), .init(title: "dtype", isNumber: false),
            .init(title: "stored"),
        ])
        let name = "model." + String(repeating: "layers.", count: 20) + "weight"
        table.add([name, "BF16", "1,234,567"])
        table.add(["b", "F32", "1"])
        let lines = table.lines(width: width)
        #expect(lines.map(\.count).max() == width)
        #expect(lines[1].hasPrefix("  …") && lines[1].hasSuffix("weight  BF16   1,234,567"))
    }

    @Test("a column does not shrink to nothing")
    func narrow() {
        var table = Table([.init(title: "tensor", isNumber: false, canShrink: true), .init(title: "n")])
        table.add([String(repeating: "x", count: 50), String(repeating: "1", count: 50)])
        #expect(table.lines(width: 20)[1].hasPrefix("  …xxxxxxx  1"))
    }

    @Test("shares of a file, the largest first, and the rest")
    func encodings() {
        var (exact, copy, tables) = (EncodingShare(), EncodingShare(), EncodingShare())
        (exact.tensors, exact.bytes, copy.tensors, tables.bytes) = (12, 900, 3, 50)
        let lines = EncodingTable.lines(["exact": exact, "copy": copy, "tables": tables], total: 1_000)
        #expect(
            lines == [
                "  kind      tensors  bytes   share",
                "  exact          12    900  90.0 %",
                "  tables                50   5.0 %",
                "  copy            3      0   0.0 %",
                "  manifest              50   5.0 %",
            ])
        #expect(EncodingTable.lines([:], total: 0).last == "  manifest               0  0.0 %")
    }
}

@Suite("The progress bar")
struct ProgressBarTests {
    private func line(
        _ done: Int, of total: Int, name: String = "model.weight", seconds: Double = 10, columns: Int = 100
    ) -> String {
        ProgressBar.line(
            Progress(phase: "packing", done: done, total: total, name: name),
            elapsed: .milliseconds(Int(1_000 * seconds)),
            columns: columns)
    }

    private func bar(_ filled: Int) -> String {
        String(repeating: "█", count: filled) + String(repeating: "░", count: 20 - filled)
    }

    @Test("phase, bar, share, rate, time left, name")
    func parts() {
        #expect(line(5_000_000_000, of: 20_000_000_000) == "packing \(bar(5))  25 %  0.50 GB/s  ETA 0:30  model.weight")
        #expect(line(0, of: 100) == "packing \(bar(0))   0 %  0.00 GB/s  ETA 0:00  model.weight")
        #expect(line(100, of: 100) == "packing \(bar(20)) 100 %  0.00 GB/s  ETA 0:00  model.weight")
        #expect(line(1, of: 100, seconds: 1).contains("ETA 1:39"))
        #expect(line(1, of: 1_000, seconds: 100).contains("ETA 1665:00"))
    }

    @Test("nothing to do, no time, and more done than there was")
    func extremes() {
        #expect(line(0, of: 0, seconds: 0) == "packing \(bar(20)) 100 %  0.00 GB/s  ETA 0:00  model.weight")
        #expect(line(300, of: 200).contains("\(bar(20)) 100 %"))
        #expect(line(1, of: .max, seconds: 1e-3).contains("\(bar(0))   0 %"))
    }

    @Test("it never fills the last column", arguments: [2, 10, 40, 60, 64, 65, 80, 200])
    func width(columns: Int) {
        let text = line(50, of: 100, name: String(repeating: "n", count: 300), columns: columns)
        #expect(text.count <= columns - 1)
        if columns >= 80 { #expect(text.count == columns - 1 && text.contains("…n")) }
    }

    @Test("names cannot move the cursor")
    func controlCharacters() {
        let text = line(1, of: 2, name: "a\u{1B}[2J\n\u{202E}")
        #expect(text.hasSuffix(#"a\u{1B}[2J\n\u{202E}"#))
        #expect(text.unicodeScalars.allSatisfy { $0.properties.generalCategory != .control })
    }
}
