@testable import SiltReports
import Testing

@Suite("Texts and numbers of pages")
struct EscapeTests {
    @Test("Names from files cannot become markup, move a cursor or turn the writing round")
    func hostile() {
        let page: Markup = "<b>\("</b><script>alert('x')</script>\" onload=\"&amp;")</b>"
        #expect(
            page.text == "<b>&lt;/b&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&quot; onload=&quot;&amp;amp;</b>"
        )
        #expect(Escape.html("a\u{0}b\u{1b}[2J\nc") == "a\\0b\\u{1B}[2J\\nc")
        #expect(Escape.html("\u{202E}txt.exe\u{2066}").contains("\u{202E}") == false)
        #expect(Escape.html("\u{202E}x").hasPrefix("\\u{"))
        #expect(!Escape.html("\u{200B}\u{2028}\u{FEFF}\n\u{FFFE}\u{E0041}").unicodeScalars.contains { $0.value > 126 })
        #expect(Escape.html("名前.größe") == "名前.größe")
    }

    @Test("Markup in markup stays, text in it does not")
    func nesting() {
        let inner: Markup = "<i>\("1 < 2")</i>"
        let outer: Markup = "<p>\(inner)\([inner, inner])</p>"
        #expect(outer.text == "<p><i>1 &lt; 2</i><i>1 &lt; 2</i>\n<i>1 &lt; 2</i></p>")
    }

    @Test(
        "Sizes have three digits and a unit of powers of 1,000",
        arguments: [
            (0.0, "0 bytes"), (1, "1 byte"), (999, "999 bytes"), (1_000, "1.00 KB"), (35_240, "35.2 KB"),
            (999_400, "999 KB"), (999_600, "1.00 MB"), (10_646_756, "10.6 MB"), (2.5e12, "2.50 TB"),
        ])
    func bytes(_ value: Double, _ words: String) { #expect(Figures.bytes(value) == words) }

    @Test(
        "Numbers are short and never something else",
        arguments: [
            (0.0, "0"), (0.05, "0.05"), (4.321_49, "4.321"), (1e-7, "1.00e-7"), (-12.5, "-12.5"), (.infinity, "-"),
            (.nan, "-"), (.leastNonzeroMagnitude, "4.94e-324"), (1.7e308, "1.70e308"),
        ])
    func plain(_ value: Double, _ words: String) { #expect(Figures.plain(value) == words) }

    @Test("Shares near the ends do not round to the ends")
    func percent() {
        #expect(Figures.percent(0) == "0 %" && Figures.percent(1) == "100 %")
        #expect(Figures.percent(0.000_01) == "< 0.01 %" && Figures.percent(0.999_99) == "> 99.99 %")
        #expect(Figures.percent(0.9995) == "99.95 %" && Figures.percent(0.1234) == "12.3 %")
    }

    @Test("Coordinates are decimals that SVG reads, whatever comes")
    func coordinates() {
        #expect(Figures.coordinate(12.346) == "12.35" && Figures.coordinate(-0.001) == "0")
        #expect(Figures.coordinate(.nan) == "0" && Figures.coordinate(100) == "100")
    }
}
