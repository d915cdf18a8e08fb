/// Which content a source has: two versions are equal if nothing says that the content changed between them.
package struct SourceVersion: Sendable, Hashable {
    /// Words that change with the content: of a file its device, inode, size and time of change; of a rebuilt file those of what it is
    /// made from.
    private let words: [UInt64]
    /// An opaque tag, as HTTP servers give.
    private let tag: String

    package init(words: [UInt64] = [], tag: String = "") { (self.words, self.tag) = (words, tag) }

    /// The version of what is made from several sources.
    package init(of parts: [SourceVersion]) {
        words = parts.flatMap { [UInt64($0.words.count)] + $0.words }
        tag = parts.map { "\($0.tag.utf8.count):\($0.tag)" }.joined()
    }
}
