// Paravirt: placeholder so that the package builds; replaced by the module's sources.
