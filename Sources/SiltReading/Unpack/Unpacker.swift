package import Workers
internal import Logging
package import Safetensors
package import SiltFormat
internal import ByteSources
package import TensorTypes

/// Gives back what a Silt file holds.
package struct Unpacker: Sendable {
    /// Whether an existing output may be replaced.
    ///
    /// A directory is replaced only if it has no file that the Silt file would not write.
    package var replaceExisting: Bool
    /// Threads, log, progress and cancellation.
    package var context: WorkContext

    /// An unpacker.
    package init(_ context: WorkContext, replaceExisting: Bool = false) {
        self.replaceExisting = replaceExisting
        self.context = context
    }

    /// What was written.
    package struct Report: Sendable {
        /// Files written.
        package let files: Int
        /// Tensors written.
        package let tensors: Int
        /// Bytes written.
        package let bytes: Int
        /// Wall-clock seconds.
        package let seconds: Double
        /// Root of the result, 64 hexadecimal digits; nil if it is not known.
        package let resultRoot: String?
        /// Tensors without a digest to compare with, since q was changed.
        package let unknownDigests: Int
    }

    /// Rebuilds everything that `file` holds as `output`: a file if one was packed, else a directory.
    ///
    /// It appears whole and verified, or not at all.
    ///
    /// - Parameters:
    ///   - base: the base that was packed against; its sharding, order and metadata may differ.
    ///   - file: the Silt file.
    ///   - output: where the result appears.
    /// - Throws: `SiltError` with the classes of Formats/Silt.md section 9, `inputMissing`, `cannotCreate`, `io`,
    ///   `interrupted`.
    package func unpack(base: String, file: String, to output: String) throws(SiltError) -> Report {
        try unpack(ContainerReader(file), over: try Checkpoint.asBase(base), to: output)
    }

    /// The same for a file and a base that are open.
    package func unpack(
        _ container: ContainerReader, over base: Checkpoint, to output: String
    ) throws(SiltError) -> Report {
        let clock = ContinuousClock()
        let begin = clock.now
        let manifest = container.manifest
        let binding = BaseBinding(checkpoint: base)
        let rebuilder = rebuilder(container, binding)
        // Before anything is made or sized: what the manifest claims may be absurd.
        let plan = try rebuilder.plan(Rebuilder.refuse)
        try OutputGuard.check(output, files: [container.path], checkpoints: [base])
        context.log.debug(
            "rebuilding \(manifest.files.count) files, \(manifest.tensors.count) tensors, by \(manifest.writer)")
        let staged = try stage(manifest, at: output)
        var outputs: [OutputFile] = []
        for record in manifest.files {
            let out = manifest.form == .file ? staged.file : try staged.create(record.path)
            try out.setSize(record.bytes)
            if case .safetensors(let header, _) = record.content { try out.write(header.fileStart, at: 0) }
            outputs.append(out)
        }
        let (files, starts, queue) = (outputs, manifest.files.map(\.dataStart), WriteQueue(threads: context.threads))
        try unsafe rebuilder.run(
            plan, "unpacking", context.progress,
            sink: { (worker, index, offset, _, bytes) throws(SiltError) in
                try queue.write(bytes.count, of: worker, to: files[index], at: starts[index] + offset)
            }, verdict: Rebuilder.refuse)
        try staged.commit()
        return Report(
            files: manifest.files.count, tensors: manifest.result.tensors, bytes: manifest.bytes,
            seconds: begin.duration(to: clock.now).inSeconds, resultRoot: manifest.resultRoot,
            unknownDigests: manifest.tensors.filter { $0.digest == nil }.count)
    }

    /// Rebuilds the tensors whose names match `pattern` into one safetensors file.
    ///
    /// Reads no other tensor's chunks.
    ///
    /// - Parameter pattern: a regular expression; it may match any part of a name.
    /// - Throws: as `unpack`; `usage` for a bad pattern, `noMatch` if no tensor matches.
    package func unpack(
        only pattern: String, base: String, file: String, to output: String
    ) throws(SiltError) -> Report {
        let clock = ContinuousClock()
        let begin = clock.now
        let container = try ContainerReader(file)
        let chosen = try select(pattern, container.manifest.tensors)
        let binding = BaseBinding(checkpoint: try Checkpoint.asBase(base))
        let rebuilder = rebuilder(container, binding, tensors: Set(chosen.map(\.ordinal)))
        let plan = try rebuilder.plan(Rebuilder.refuse)
        try OutputGuard.check(output, files: [file], checkpoints: [binding.checkpoint])
        let writer = try SafetensorsWriter(
            at: output, for: chosen.map { (name: $0.record.name, info: $0.record.info) }, metadata: ["format": "pt"],
            replacing: replaceExisting)
        let queue = WriteQueue(threads: context.threads)
        let ranges = Dictionary(
            chosen.map { ($0.record.name, $0.record.range.lowerBound) }, uniquingKeysWith: { first, _ in first })
        try unsafe rebuilder.run(
            plan, "unpacking", context.progress,
            sink: { (worker, _, offset, name, bytes) throws(SiltError) in
                guard let name, let source = ranges[name] else { return }
                let place = try writer.place(for: bytes.count, of: name, at: offset - source)
                try queue.write(bytes.count, of: worker, to: place.file, at: place.offset)
            }, verdict: Rebuilder.refuse)
        try writer.commit()
        return Report(
            files: 1, tensors: chosen.count, bytes: writer.bytes, seconds: begin.duration(to: clock.now).inSeconds,
            resultRoot: container.manifest.resultRoot,
            unknownDigests: chosen.filter { $0.record.digest == nil }.count)
    }

    private func rebuilder(
        _ container: ContainerReader, _ binding: BaseBinding, tensors: Set<Int>? = nil
    ) -> Rebuilder {
        Rebuilder(container, binding, context.pool, tensors: tensors, level: context.kernelLevel)
    }

    private func stage(_ manifest: Manifest, at output: String) throws(SiltError) -> StagedOutput {
        switch manifest.form {
        case .file:
            return try StagedOutput(at: output, form: .file, replacing: replaceExisting ? .file : .never)
        case .directory:
            let expected = Set(manifest.files.map { ByteName($0.path) })
            return try StagedOutput(
                at: output, form: .directory, replacing: replaceExisting ? .directory(expected: expected) : .never)
        }
    }

    /// The tensors that `pattern` matches, each name once.
    private func select(
        _ pattern: String, _ tensors: [TensorRecord]
    ) throws(SiltError) -> [(ordinal: Int, record: TensorRecord)] {
        let regex = try NamePattern(pattern)
        var names: Set<ByteName> = []
        let chosen = tensors.enumerated().filter { _, record in
            regex.matches(record.name) && names.insert(ByteName(record.name)).inserted
        }
        guard !chosen.isEmpty else {
            throw SiltError(
                .noMatch, "no tensor's name matches \"\(pattern)\"", advice: "silt inspect lists the names")
        }
        return chosen.map { (ordinal: $0.offset, record: $0.element) }
    }
}
