internal import SystemCalls
internal import TensorTypes

/// The ways in which an output gets its name.
extension StagedOutput {
    /// Brings the temporary to the device and gives it the target's name.
    ///
    /// What it replaced may be left under the temporary name.
    func publish() throws(SiltError) {
        do {
            if form == .file {
                try System.synchronize(temporary.descriptor)
            } else {
                try TreeWork.synchronize(temporary.descriptor)
            }
        } catch {
            throw error.error(.io, "cannot write", file: path)
        }
        try place.check(form, replacing)
        do {
            switch (replacing, form) {
            case (.never, _): try appear()
            case (_, .file): try System.rename(temporary.name, to: place.name, in: place.descriptor)
            case (_, .directory): try replace()
            }
        } catch {
            guard error.number != System.exists else { throw place.taken() }
            throw error.error(.io, "cannot rename the temporary", file: place.target)
        }
        do {
            try System.synchronize(place.descriptor)
        } catch {
            // Some file systems cannot synchronise a directory; they write names at once or have no better way.
            guard System.unsupported.contains(error.number) else {
                throw error.error(.io, "cannot write the directory of the output", file: place.target)
            }
        }
    }

    /// Takes a name that is free; fails with `EEXIST` if it is not.
    private func appear() throws(SystemError) {
        if hasAtomicRenames {
            do {
                return try System.rename(temporary.name, to: place.name, in: place.descriptor, .keep)
            } catch {
                guard System.unsupported.contains(error.number) else { throw error }
            }
        }
        if form == .file {
            do {
                return try System.link(temporary.name, to: place.name, in: place.descriptor)
            } catch {
                guard System.unsupported.contains(error.number) else { throw error }
            }
        }
        // No way to do it in one step here: look first. A directory never replaces one that has files.
        guard try !place.isTaken() else { throw SystemError(number: System.exists) }
        try System.rename(temporary.name, to: place.name, in: place.descriptor)
    }

    /// Takes the name of whatever has it, for a directory: by an exchange, or by moving the old one aside.
    private func replace() throws(SystemError) {
        guard try place.isTaken() else {
            return try System.rename(temporary.name, to: place.name, in: place.descriptor)
        }
        if hasAtomicRenames {
            do {
                return try System.rename(temporary.name, to: place.name, in: place.descriptor, .exchange)
            } catch {
                guard System.unsupported.contains(error.number) else { throw error }
            }
        }
        // A process that dies in between leaves the old one under a name that nothing removes.
        let aside = PartialName.makeAside(for: place.name)
        try System.rename(place.name, to: aside, in: place.descriptor)
        do {
            try System.rename(temporary.name, to: place.name, in: place.descriptor)
        } catch {
            try? System.rename(aside, to: place.name, in: place.descriptor)
            throw error
        }
        try? TreeWork.remove(aside, in: place.descriptor)
    }
}
