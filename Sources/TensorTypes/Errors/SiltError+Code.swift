extension SiltError {
    /// The class of an error: a number that never changes, and a name.
    ///
    /// New classes may come; switch over classes with a `default`. Numbers are spaced so that a class finds room beside its kin: 100
    /// to 199 a file that breaks the format, 200 to 299 a base or result that is not the one expected, 300 to 399 a request, 400
    /// to 499 the world around, 500 to 599 an end on request, 900 to 999 a fault of Silt.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        /// The number, for programs.
        public let number: Int
        /// The name, as it stands in messages and reports; of the format's classes that of Formats/Silt.md, section 9.
        public let name: String

        private init(_ number: Int, _ name: String) { (self.number, self.name) = (number, name) }

        /// A file is shorter than it says.
        public static let truncated = Code(100, "truncated")
        /// A safetensors header, or what stands for one, breaks a rule.
        public static let header = Code(105, "header")
        /// A safetensors file that is no Silt file.
        public static let notSilt = Code(110, "not-silt")
        /// A version or contract that this reader does not know.
        public static let version = Code(115, "version")
        /// A field or entry that this reader does not know.
        public static let unknownExtension = Code(120, "extension")
        /// Bytes do not have their checksum.
        public static let checksum = Code(125, "checksum")
        /// The manifest breaks a rule.
        public static let manifest = Code(130, "manifest")
        /// A path that a checkpoint may not have.
        public static let path = Code(135, "path")
        /// Chunks, parts or tensors leave something out, or overlap.
        public static let coverage = Code(140, "coverage")
        /// A cap of the format is exceeded.
        public static let limit = Code(145, "limit")
        /// Tables of a coder break a rule.
        public static let tables = Code(150, "tables")
        /// A chunk does not decode.
        public static let chunk = Code(155, "chunk")
        /// The base lacks something.
        public static let baseMissing = Code(200, "base-missing")
        /// A tensor of the base has another dtype.
        public static let baseDType = Code(205, "base-dtype")
        /// A tensor of the base has another shape.
        public static let baseShape = Code(210, "base-shape")
        /// A tensor or file of the base has other content.
        public static let baseContent = Code(215, "base-content")
        /// What was rebuilt does not have its digest.
        public static let result = Code(220, "result")
        /// A request that makes no sense, or contradicts itself.
        public static let usage = Code(300, "usage")
        /// A choice that nothing fits.
        public static let noMatch = Code(305, "no-match")
        /// A training whose loss grows beyond measure, or is no number.
        public static let diverged = Code(310, "diverged")
        /// An input that is absent or closed to this process.
        public static let inputMissing = Code(400, "input-missing")
        /// An output that cannot be made, or exists.
        public static let cannotCreate = Code(405, "cannot-create")
        /// A device that fails, or is full.
        public static let io = Code(410, "io")
        /// An input that changed while it was read.
        public static let changed = Code(415, "changed-while-reading")
        /// An end on request.
        public static let interrupted = Code(500, "interrupted")
        /// A check that only an error in this program can fail.
        public static let fault = Code(900, "fault")

        /// Every class, ascending by number; those of the format come first.
        public static let all = [
            truncated, header, notSilt, version, unknownExtension, checksum, manifest, path, coverage, limit, tables,
            chunk, baseMissing, baseDType, baseShape, baseContent, result, usage, noMatch, diverged, inputMissing,
            cannotCreate, io, changed, interrupted, fault,
        ]

        /// The name.
        public var description: String { name }

        /// Whether the class is one of Formats/Silt.md, section 9.
        public var isOfFormat: Bool { number < 300 }
    }
}
