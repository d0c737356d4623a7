package app

import "context"

// DeleteRepository: see [Service].
func (c *Core) DeleteRepository(context.Context, DeleteRepositoryRequest) (DeleteRepositoryReply, error) {
	return DeleteRepositoryReply{}, errNotYet
}

// EmptyTrash: see [Service].
func (c *Core) EmptyTrash(context.Context, EmptyTrashRequest) (EmptyTrashReply, error) {
	return EmptyTrashReply{}, errNotYet
}
