package import TensorTypes

/// What predicts a tensor: runs of elements of sources (Formats/Silt.md, section 4.3).
package struct BaseRecord: Sendable, Hashable {
    /// Sources that a tensor may have.
    package static let sourceLimit = 1_024
    /// Runs that a tensor may have.
    package static let runLimit = 65_536

    /// Elements that consecutive elements of a source predict.
    package struct Run: Sendable, Hashable {
        /// The elements that are predicted.
        package var elements: Range<Int>
        /// Index of the source.
        package var source: Int
        /// The source's element that predicts the first one.
        package var first: Int

        package init(_ elements: Range<Int>, source: Int, first: Int) {
            (self.elements, self.source, self.first) = (elements, source, first)
        }

        /// The elements of the source that predict `elements`, which the run has.
        package func places(of elements: Range<Int>) -> Range<Int> {
            let start = first + elements.lowerBound - self.elements.lowerBound
            return start..<start + elements.count
        }
    }

    package var sources: [SourceRecord]
    /// Ascending; elements between them are predicted by nothing.
    package var runs: [Run]

    package init(sources: [SourceRecord], runs: [Run]) { (self.sources, self.runs) = (sources, runs) }

    /// A base tensor whose elements stand at their own indices.
    package init(_ tensor: BaseTensorRecord, predicting info: TensorInfo) {
        self.init(sources: [.base(tensor)], runs: BaseRecord.plainRuns(tensor.info.elements, info.elements))
    }

    /// Elements at their own indices, as many as both have.
    package static func plainRuns(_ source: Int, _ tensor: Int) -> [Run] {
        let count = min(source, tensor)
        return count == 0 ? [] : [Run(0..<count, source: 0, first: 0)]
    }

    /// The tensors of the base among the sources.
    package var baseTensors: [BaseTensorRecord] {
        sources.compactMap { if case .base(let tensor) = $0 { tensor } else { nil } }
    }

    /// Indices of the runs that have some of `elements`.
    package func runs(touching elements: Range<Int>) -> Range<Int> {
        runs.touching(elements)
    }

    /// Whether all of `elements`, of which there is one at least, are predicted.
    package func predicts(_ elements: Range<Int>) -> Bool {
        var next = elements.lowerBound
        for run in runs[runs(touching: elements)] {
            guard run.elements.lowerBound <= next else { return false }
            next = run.elements.upperBound
        }
        return next >= elements.upperBound
    }
}

extension [BaseRecord.Run] {
    /// Indices of the runs that have some of `elements`; the runs ascend.
    package func touching(_ elements: Range<Int>) -> Range<Int> {
        func first(where isBehind: (BaseRecord.Run) -> Bool) -> Int {
            var (low, high) = (0, count)
            while low < high {
                let middle = (low + high) / 2
                if isBehind(self[middle]) { high = middle } else { low = middle + 1 }
            }
            return low
        }
        guard !elements.isEmpty else { return 0..<0 }
        let start = first { $0.elements.upperBound > elements.lowerBound }
        return start..<Swift.max(start, first { $0.elements.lowerBound >= elements.upperBound })
    }
}

/// A tensor that predicts another one.
package enum SourceRecord: Sendable, Hashable {
    case base(BaseTensorRecord)
    /// An earlier tensor of the result, by its place among all of them.
    case result(ResultSource)
}

/// A tensor of the result that predicts a later one.
package struct ResultSource: Sendable, Hashable {
    /// Its place among the tensors of all files.
    package var index: Int
    package var name: String
    /// Path of its file.
    package var file: String
    package var info: TensorInfo
    /// Whether its digest is known.
    package var hasDigest: Bool

    package init(index: Int, name: String, file: String, info: TensorInfo, hasDigest: Bool = true) {
        (self.index, self.name, self.file, self.info, self.hasDigest) = (index, name, file, info, hasDigest)
    }
}

extension SourceRecord {
    package var info: TensorInfo {
        switch self {
        case .base(let tensor): tensor.info
        case .result(let source): source.info
        }
    }

    package var name: String {
        switch self {
        case .base(let tensor): tensor.name
        case .result(let source): source.name
        }
    }
}

/// A tensor of the base that predicts.
package struct BaseTensorRecord: Sendable, Hashable {
    package var name: String
    /// Path of the file of the base directory that has it; nil: it is a tensor of the base's model.
    package var file: String?
    package var info: TensorInfo
    package var digest: Digest128

    package init(name: String, file: String? = nil, info: TensorInfo, digest: Digest128) {
        self.name = name
        self.file = file
        self.info = info
        self.digest = digest
    }
}
