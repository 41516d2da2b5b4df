"""Makes the tables, as a deployment does before the workers start."""

import asyncio

from app import Base, engine


async def main() -> None:
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
    await engine.dispose()


asyncio.run(main())
